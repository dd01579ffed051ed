import { Controller, Get, Path, Route } from 'tsoa'

@Route('hello')
export class HelloController extends Controller {
  /**
   * @isInt id
   */
  @Get('{id}')
  one(@Path() id: number): { id: number; hello: string } {
    return { id, hello: 'world' }
  }
}
