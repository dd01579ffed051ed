import { Body, Get, Post, Query, Resource, Status } from 'kumu'

interface Fruit {
  name: string
  otherNames: string[]
}

interface FoundFruit extends Fruit {
  isCitrus: boolean
  amount: number
}

interface NewFruit extends Fruit {
  supply: Record<string, unknown>
  origin: string
}

const countries: Record<string, string> = { USA: 'United States of America', MEX: 'Mexico' }

function toCountry(code: string): string {
  const country = Object.hasOwn(countries, code) ? countries[code] : undefined
  if (country === undefined) throw new Error('Invalid origin')
  return country
}

function toSupply(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('Invalid supply')
  return value as Record<string, unknown>
}

@Resource('/fruits')
export class Fruits {
  @Get()
  find(
    @Query({
      name: String,
      alias: { list: true, default: [], as: 'otherNames' },
      'is-citrus': { type: Boolean, default: false, as: 'isCitrus' },
      amount: Number,
    })
    fruit: FoundFruit,
  ) {
    return fruit
  }

  @Post()
  @Status(201)
  add(
    @Body({
      name: String,
      'other-names': { type: [String], default: [], as: 'otherNames' },
      supply: { type: Object, convert: toSupply },
      country_code: { type: String, convert: toCountry, as: 'origin' },
    })
    fruit: NewFruit,
  ) {
    return fruit
  }
}
