import { Body, Controller, Post, Route, SuccessResponse } from 'tsoa'

interface Address {
  street: string
  city: string
  /**
   * @pattern ^\d{5}$
   */
  zip: string
}

interface User {
  /**
   * @minLength 1
   * @maxLength 80
   */
  name: string
  /**
   * @pattern ^[^\s@]{1,64}@(?:[a-z0-9-]+\.)+[a-z]{2,}$
   */
  email: string
  /**
   * @isInt
   * @minimum 0
   * @maximum 150
   */
  age: number
  /**
   * @maxItems 10
   */
  tags: string[]
  address: Address
  role: 'admin' | 'editor' | 'reader'
}

// A controller is made for each request.
let lastId = 0

@Route('users')
export class UsersController extends Controller {
  @Post()
  @SuccessResponse(201)
  create(@Body() user: User): User & { id: number } {
    return { id: ++lastId, ...user }
  }
}
