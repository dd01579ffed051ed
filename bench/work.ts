import { randomUUID } from 'node:crypto'

// What the hand-written servers share: the data, and the checks that each of them would write. Kumu's server has none of
// the checks: there they follow from its classes.

export interface Item {
  readonly id: number
  readonly name: string
  readonly price: number
  readonly inStock: boolean
  readonly tags: readonly string[]
  readonly note: string
}

/** 10,000 objects of about 160 bytes. */
export function makeItems(): Item[] {
  return Array.from({ length: 10_000 }, (_, id) => ({
    id,
    name: `Item number ${id}`,
    price: (id * 37) % 1000,
    inStock: id % 3 !== 0,
    tags: ['alpha', `group-${id % 10}`],
    note: 'A line of text about this thing, as long as such lines are.',
  }))
}

export interface Violation {
  readonly in: 'body'
  readonly pointer: string
  readonly code: string
  readonly detail: string
}

export interface NewUser {
  name: string
  email: string
  age: number
  tags: string[]
  address: { street: string; city: string; zip: string }
  role: string
}

export const roles: readonly string[] = ['admin', 'editor', 'reader']

const roleRule = `role must be one of ${roles.join(', ')}`
const email = /^[^\s@]{1,64}@(?:[a-z0-9-]+\.)+[a-z]{2,}$/i
const zip = /^\d{5}$/
const userKeys = new Set(['name', 'email', 'age', 'tags', 'address', 'role'])
const addressKeys = new Set(['street', 'city', 'zip'])

/** The violations of a new user, none where it is one; unknown members are violations too. */
export function checkUser(value: unknown): Violation[] {
  const found: Violation[] = []
  const add = (pointer: string, code: string, detail: string): void =>
    void found.push({ in: 'body', pointer, code, detail })
  if (!isObject(value)) {
    add('', 'type', 'must be an object')
    return found
  }
  for (const key in value) if (!userKeys.has(key)) add(`/${key}`, 'unknown', `${key} is not known`)
  if (typeof value.name !== 'string' || value.name.length < 1 || value.name.length > 80) {
    add('/name', 'isLength', 'name must have 1 to 80 characters')
  }
  if (typeof value.email !== 'string' || !email.test(value.email)) add('/email', 'isEmail', 'email must be an address')
  if (!Number.isInteger(value.age)) add('/age', 'isInt', 'age must be an integer')
  else if ((value.age as number) < 0) add('/age', 'min', 'age must not be less than 0')
  else if ((value.age as number) > 150) add('/age', 'max', 'age must not be greater than 150')
  checkTags(value.tags, add)
  checkAddress(value.address, add)
  if (typeof value.role !== 'string' || !roles.includes(value.role)) {
    add('/role', 'isIn', roleRule)
  }
  return found
}

type Add = (pointer: string, code: string, detail: string) => void

function checkTags(tags: unknown, add: Add): void {
  if (!Array.isArray(tags)) return add('/tags', 'isArray', 'tags must be a list')
  if (tags.length > 10) add('/tags', 'arrayMaxSize', 'tags must have at most 10 elements')
  for (let index = 0; index < tags.length; index++) {
    if (typeof tags[index] !== 'string') add(`/tags/${index}`, 'isString', 'each of tags must be a string')
  }
}

function checkAddress(address: unknown, add: Add): void {
  if (!isObject(address)) return add('/address', 'nestedValidation', 'address must be an object')
  for (const key in address) if (!addressKeys.has(key)) add(`/address/${key}`, 'unknown', `${key} is not known`)
  if (typeof address.street !== 'string') add('/address/street', 'isString', 'street must be a string')
  if (typeof address.city !== 'string') add('/address/city', 'isString', 'city must be a string')
  if (typeof address.zip !== 'string' || !zip.test(address.zip)) {
    add('/address/zip', 'matches', 'zip must be five digits')
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The stored form of a checked user: its members in the order that they are declared. */
export function storeUser(id: number, { name, email, age, tags, address, role }: NewUser): NewUser & { id: number } {
  const { street, city, zip } = address
  return { id, name, email, age, tags, address: { street, city, zip }, role }
}

/** The document of a refused body (RFC 9457), with the id under which a log would have it. */
export function problem(status: number, title: string, instance: string, errors?: readonly Violation[]): object {
  return { type: 'about:blank', title, status, instance, requestId: randomUUID(), errors }
}

/** A whole number as a path holds it. */
export function parseId(text: string): number | undefined {
  return /^-?(?:0|[1-9]\d*)$/.test(text) ? Number(text) : undefined
}

/** The page that a query asks for; absent numbers have defaults, malformed ones give `undefined`. */
export function parsePage(query: string): { offset: number; limit: number } | undefined {
  const parameters = new URLSearchParams(query)
  const offset = parseId(parameters.get('offset') ?? '0')
  const limit = parseId(parameters.get('limit') ?? '50')
  if (offset === undefined || limit === undefined || offset < 0 || limit < 0) return undefined
  return { offset, limit: Math.min(limit, 1000) }
}

export function contentRange(offset: number, count: number, total: number): string {
  return `items ${offset}-${offset + count - 1}/${total}`
}
