import 'reflect-metadata'
import { Expose, plainToInstance, Transform, Type } from 'class-transformer'
import { createBuilder } from '../../../src/validation/exact/build'
import { threwByItself } from '../../../src/validation/transformer'

class Leaf {
  name?: unknown
}

class Tree {
  @Type(() => Leaf)
  leaf?: Leaf

  @Type(() => Leaf)
  leaves?: Leaf[]
}

describe('createBuilder(options)', () => {
  test('builds what is nested, in the order of the input', () => {
    const input = { other: [{ a: 1 }], leaves: [{ name: 1 }, { name: 2 }], leaf: { name: 'x' } }
    const built = createBuilder({})(Tree, input)
    expect(built).toBeInstanceOf(Tree)
    expect((built as Tree).leaf).toBeInstanceOf(Leaf)
    expect((built as Tree).leaves?.every((leaf) => leaf instanceof Leaf)).toBe(true)
    expect(Object.keys(built as object)).toEqual(Object.keys(plainToInstance(Tree, input)))
  })

  test('hears of a type that is said after the first use', () => {
    class Late {
      leaf?: unknown
    }
    const build = createBuilder({})
    expect((build(Late, { leaf: {} }) as Late).leaf).not.toBeInstanceOf(Leaf)
    Type(() => Leaf)(Late.prototype, 'leaf')
    expect((build(Late, { leaf: {} }) as Late).leaf).toBeInstanceOf(Leaf)
  })

  test('takes classes that are mapped later', () => {
    class Mapped {
      leaf?: unknown
    }
    const options: NonNullable<Parameters<typeof createBuilder>[0]> = {}
    const build = createBuilder(options)
    expect((build(Mapped, { leaf: {} }) as Mapped).leaf).not.toBeInstanceOf(Leaf)
    options.targetMaps = [{ target: Mapped, properties: { leaf: Leaf } }]
    expect((build(Mapped, { leaf: {} }) as Mapped).leaf).toBeInstanceOf(Leaf)
  })

  test('reads an accessor of the input as often as class-transformer', () => {
    let reads = 0
    class Source {
      get name(): string {
        reads += 1
        return 'x'
      }
    }
    class Wanted {
      @Expose()
      name?: string
    }
    plainToInstance(Wanted, new Source())
    const expected = reads
    reads = 0
    expect(createBuilder({})(Wanted, new Source())).toEqual({ name: 'x' })
    expect(reads).toBe(expected)
  })

  test.each<[string, unknown]>([
    ['a class by name', { other: { constructor: 'x' } }],
    ['a class by an object', { other: { constructor: {} } }],
    ['no primitive', { leaf: { name: 1 }, when: { toString: 1, valueOf: 1 } }],
  ])('throws by itself, as class-transformer does: %s', (_, input) => {
    class Dated {
      @Type(() => Number)
      when?: number
    }
    const error = thrownBy(() => createBuilder({})(Dated, input))
    const expected = thrownBy(() => plainToInstance(Dated, input))
    expect(error).toEqual(expected)
    expect(threwByItself(error)).toBe(threwByItself(expected))
  })

  test('is not to blame for what a transform throws', () => {
    class Throwing {
      @Transform(() => {
        throw new TypeError('mine')
      })
      name?: string
    }
    const error = thrownBy(() => createBuilder({})(Throwing, { name: 'x' }))
    expect(error).toEqual(new TypeError('mine'))
    expect(threwByItself(error)).toBe(false)
  })

  test('leaves conversion by emitted types to class-transformer', () => {
    class Counted {
      @Type()
      count!: number
    }
    Reflect.defineMetadata('design:type', Number, Counted.prototype, 'more')
    expect(createBuilder({ enableImplicitConversion: true })(Counted, { more: '5' })).toEqual({ more: 5 })
  })
})

function thrownBy(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}
