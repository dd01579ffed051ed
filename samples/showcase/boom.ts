import { Get, Resource } from 'kumu'

@Resource('/boom')
export class Boom {
  @Get()
  fail(): never {
    throw Object.assign(new Error('the password is hunter2'), { secret: 'hunter2' })
  }
}
