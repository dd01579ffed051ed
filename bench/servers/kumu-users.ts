import { Body, Post, Resource, Status } from 'kumu'
import { User } from './user'

@Resource('/users')
export class Users {
  private lastId = 0

  @Post()
  @Status(201)
  create(@Body() user: User) {
    return { id: ++this.lastId, ...user }
  }
}
