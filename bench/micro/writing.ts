import { instanceToPlain } from 'class-transformer'
import { makeItems } from '../work'
import { loadPeerPackage, loadStep, missing } from './load'
import { type Candidate, timeRow } from './timer'

interface WriterStep {
  createJsonWriter(toPlain: (value: unknown) => unknown): (value: unknown) => string
}

interface PlainStep {
  createToPlain(): (value: unknown) => unknown
}

type MakeStringify = (schema: object) => (value: unknown) => string

const text = { type: 'string' }
const integer = { type: 'integer' }

const itemsSchema = {
  type: 'array',
  items: {
    type: 'object',
    properties: {
      id: integer,
      name: text,
      price: integer,
      inStock: { type: 'boolean' },
      tags: { type: 'array', items: text },
      note: text,
    },
  },
}

const helloSchema = { type: 'object', properties: { id: integer, hello: text } }

/** From a returned value to its text, another value each turn. */
export function writing(): void {
  const items = makeItems()
  const pages = Array.from({ length: 100 }, (_, page) => items.slice(page * 50, page * 50 + 50))
  const plainly: Candidate = {
    name: 'class-transformer, JSON.stringify',
    run: (turn) => JSON.stringify(instanceToPlain(pages[turn % 100])),
  }
  timeWriters('the page of W3', (turn) => pages[turn % 100], itemsSchema, [plainly])
  timeWriters('the answer of W1', (turn) => ({ id: turn, hello: 'world' }), helloSchema)
}

function timeWriters(
  title: string,
  valueOf: (turn: number) => unknown,
  schema: object,
  others: readonly Candidate[] = [],
): void {
  const candidates: Candidate[] = [{ name: 'JSON.stringify', run: (turn) => JSON.stringify(valueOf(turn)) }, ...others]
  const notes: string[] = []
  const { createJsonWriter } = loadStep<WriterStep>('validation/writer') ?? {}
  const { createToPlain } = loadStep<PlainStep>('validation/plain') ?? {}
  if (createJsonWriter && createToPlain) {
    const write = createJsonWriter(createToPlain())
    candidates.push({ name: 'Kumu', run: (turn) => write(valueOf(turn)) })
  } else notes.push(missing("Kumu's writer, which this version does not have"))
  const makeStringify = loadPeerPackage<MakeStringify>('fast-json-stringify')
  if (makeStringify) {
    const stringify = makeStringify(schema)
    candidates.push({ name: 'fast-json-stringify', run: (turn) => stringify(valueOf(turn)) })
  } else notes.push(missing('fast-json-stringify, which --peers installs'))
  timeRow({ title, candidates, notes })
}
