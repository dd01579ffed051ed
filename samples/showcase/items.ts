import { Get, Integer, Paged, Resource } from 'kumu'

interface Item {
  id: number
  name: string
  price: number
}

@Resource('/items')
export class Items {
  private readonly rows: Item[] = Array.from({ length: 10_000 }, (_, index) => ({
    id: index + 1,
    name: `Item ${index + 1}`,
    price: ((index * 37) % 1000) / 10,
  }))

  @Get()
  @Paged({
    limit: 50,
    max: 500,
    sort: ['id', 'name', 'price'],
    filter: { id: Integer, name: String, price: Number },
    cursor: 'id',
  })
  list() {
    return this.rows
  }
}
