import { Type } from 'class-transformer'
import * as classValidator from 'class-validator'
import { Allow, IsIn, IsInt, IsOptional, IsString, ValidateNested } from 'class-validator'
import { ConfigurationError } from '../../src/errors'
import { AnyBody } from '../../src/validation/any-body'
import { refuseForeignCopies, type LoadedModules } from '../../src/validation/copies'
import { createValidation, type ValidationOptions } from '../../src/validation/pipe'
import type { Constructor } from '../../src/types'
import { designType, listOf, paramOf } from './support'

class Bare {
  name?: string
}
class Ruled {
  @IsString() name!: string
}

function check(type: Constructor, options: ValidationOptions = {}): string | undefined {
  try {
    createValidation(options, designType).check(paramOf(type))
    return undefined
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message
    throw error
  }
}

describe('check(param)', () => {
  test('B4: a class without rules is a mistake', () => {
    expect(check(Bare)).toBe(
      'Things.make, parameter 0: the class Bare has no validation rules that apply here. ' +
        'Decorate its properties with class-validator, or the class with @AnyBody() where any value will do.',
    )
    const { check: checkParam } = createValidation({}, designType)
    expect(() => checkParam(listOf(Bare))).toThrow(ConfigurationError)
    expect(() => checkParam(paramOf(Bare, { source: 'query' }))).toThrow(ConfigurationError)
    expect(() => checkParam(paramOf(Ruled, { type: { kind: 'any', list: false }, members: [paramOf(Bare)] }))).toThrow(
      ConfigurationError,
    )
  })

  test('B4: unless it says so, inherits some, or is nobody’s to validate', () => {
    @AnyBody()
    class Free {}
    class Inheriting extends Ruled {}
    expect(check(Free)).toBeUndefined()
    expect(check(Inheriting)).toBeUndefined()
    const validation = createValidation({}, designType)
    for (const init of [
      { source: 'user' },
      { source: 'custom' },
      { source: 'path', name: 'id' },
      { convert: (value: string) => value },
    ] as const) {
      expect(validation.check(paramOf(Bare, init))).toBeUndefined()
    }
  })

  test('a subclass of an @AnyBody() class speaks for itself', () => {
    @AnyBody()
    class Free {}
    class Closed extends Free {}
    expect(check(Closed)).toMatch('the class Closed has no validation rules')
  })

  test('B4: nested classes, and classes whose rules are all in other groups', () => {
    class Outer {
      @ValidateNested() @Type(() => Bare) bare!: Bare
    }
    class Grouped {
      @IsString({ groups: ['create'] }) name!: string
    }
    expect(check(Outer)).toMatch('the class Bare has no validation rules')
    expect(check(Grouped, { groups: ['create'] })).toBeUndefined()
    expect(check(Grouped, { groups: ['update'] })).toMatch('the class Grouped has no validation rules')
  })

  class ListLess {
    @ValidateNested({ each: true }) items!: Ruled[]
  }
  class SetLess {
    @ValidateNested() items!: Set<Ruled>
  }
  class MapLess {
    @ValidateNested() items!: Map<string, Ruled>
  }
  class Untyped {
    @ValidateNested() item!: unknown
  }
  class Late {
    @ValidateNested() @Type(() => undefined as never) item!: unknown
  }
  class Cyclic {
    @ValidateNested()
    @Type(() => {
      throw new ReferenceError('not there yet')
    })
    item!: unknown
  }
  class Primitive {
    @ValidateNested() @Type(() => String) item!: string
  }

  test.each([
    ['ListLess.items', ListLess],
    ['SetLess.items', SetLess],
    ['MapLess.items', MapLess],
    ['Untyped.item', Untyped],
    ['Late.item', Late],
    ['Cyclic.item', Cyclic],
    ['Primitive.item', Primitive],
  ])('B13: %s has no class to validate by', (name, type) => {
    expect(check(type)).toMatch(`${name} has @ValidateNested and no class to validate by. Add @Type(() => ItsClass)`)
  })

  test('B13: found however deep, round cycles', () => {
    class Parent {
      @IsOptional() @ValidateNested() @Type(() => Child) child?: unknown
    }
    class Child {
      @IsOptional() @ValidateNested() @Type(() => Parent) parent?: Parent
      @IsOptional()
      @ValidateNested()
      @Type(() => Object, { discriminator: { property: 'kind', subTypes: [{ name: 'list', value: ListLess }] } })
      union?: unknown
    }
    expect(check(Parent)).toMatch('ListLess.items has @ValidateNested')
  })

  test('B18, B20: classes that name each other, and a class further down, are fine', () => {
    class Left {
      @IsOptional() @ValidateNested() @Type(() => Right) right?: unknown
    }
    class Right {
      @IsOptional() @ValidateNested() @Type(() => Left) left?: Left
    }
    expect(check(Left)).toBeUndefined()
  })

  test('a discriminator that is removed and required', () => {
    class Circle {
      @IsIn(['circle']) kind!: string
      @IsInt() radius!: number
    }
    const discriminator = { property: 'kind', subTypes: [{ name: 'circle', value: Circle }] }
    class Removing {
      @ValidateNested() @Type(() => Object, { discriminator }) shape!: unknown
    }
    class Keeping {
      @ValidateNested() @Type(() => Object, { discriminator, keepDiscriminatorProperty: true }) shape!: unknown
    }
    class InMap {
      @ValidateNested() @Type(() => Object, { discriminator }) shapes!: Map<string, Circle>
    }
    expect(check(Removing)).toMatch('Removing.shape removes the discriminator that Circle.kind requires')
    expect(check(Keeping)).toBeUndefined()
    expect(check(InMap)).toMatch('InMap.shapes is a Map with a discriminator')
  })

  test('a name that every object has', () => {
    class Odd {
      @Allow() valueOf!: never
    }
    expect(check(Odd)).toMatch('Odd.valueOf has a name that every object has')
  })
})

describe('refuseForeignCopies(where, class, loaded)', () => {
  class Decorated {}
  const storage = {
    getTargetValidationMetadatas: (target: object) => (target === Decorated ? [{ propertyName: 'name' }] : []),
  }
  const path = '/app/node_modules/other/node_modules/class-validator/cjs/index.js'
  const refuse = (loaded: LoadedModules, type: object = Decorated) =>
    jest.fn(() => refuseForeignCopies('Things.make, parameter 0', type, loaded))

  test('B19: names both paths', () => {
    const act = refuse({ [path]: { exports: { getMetadataStorage: () => storage } } })
    expect(act).toThrow(ConfigurationError)
    expect(act).toThrow(path)
    expect(act).toThrow(require.resolve('class-validator'))
    expect(act).toThrow('npm ls class-validator')
  })

  test('B19: class-transformer as well, by the class or its ancestors', () => {
    class Heir extends Decorated {}
    const transformerPath = 'C:\\app\\node_modules\\x\\node_modules\\class-transformer\\cjs\\storage.js'
    const loaded = {
      [transformerPath]: { exports: { defaultMetadataStorage: { _exposeMetadatas: new Map([[Decorated, 1]]) } } },
    }
    expect(refuse(loaded, Heir)).toThrow(transformerPath)
    expect(refuse(loaded, Bare)).not.toThrow()
  })

  test.each<[string, LoadedModules]>([
    ['a copy that shares the storage', { [path]: { exports: classValidator } }],
    ['a module that is half loaded', { [path]: { exports: {} }, '/x/class-transformer/cjs/storage.js': undefined }],
    [
      'a file of another name',
      { '/x/class-validator/cjs/container.js': { exports: { getMetadataStorage: () => storage } } },
    ],
  ])('%s is no harm', (_, loaded) => {
    expect(refuse(loaded)).not.toThrow()
  })

  test('a copy that does not know the class is no harm', () => {
    expect(refuse({ [path]: { exports: { getMetadataStorage: () => storage } } }, Bare)).not.toThrow()
  })
})
