import { Get, Integer, Param, Resource } from 'kumu'

@Resource('/hello')
export class Hello {
  @Get('/:id')
  greet(@Param('id', { type: Integer, min: 0 }) id: number) {
    return { id, hello: 'world' }
  }
}
