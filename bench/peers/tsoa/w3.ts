import { Controller, Get, Query, Route, SuccessResponse } from 'tsoa'
import { contentRange, type Item, makeItems } from '../../work'

const items = makeItems()

@Route('items')
export class ItemsController extends Controller {
  /**
   * @isInt offset
   * @minimum offset 0
   * @isInt limit
   * @minimum limit 0
   */
  @Get()
  @SuccessResponse(206)
  list(@Query() offset: number = 0, @Query() limit: number = 50): Item[] {
    const rows = items.slice(offset, offset + Math.min(limit, 1000))
    this.setHeader('Content-Range', contentRange(offset, rows.length, items.length))
    return rows
  }
}
