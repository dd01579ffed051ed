import 'reflect-metadata'
import { Type } from 'class-transformer'
import {
  IsArray,
  IsBoolean,
  IsEmail,
  IsIn,
  IsInt,
  IsString,
  Length,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator'
import { Address } from '../servers/user'

/** A class of a body and a body of it. */
export interface BodyClass {
  readonly type: new () => object
  readonly valid: object
}

/**
 * As many classes of eight members as an application of some size has: all of them are in class-validator's one storage.
 *
 * @param count how many
 */
export function makeBodyClasses(count: number): BodyClass[] {
  return Array.from({ length: count }, (_, index) => ({ type: makeClass(index), valid: makeValue(index) }))
}

function makeClass(index: number): new () => object {
  class Entry {
    @Length(1, 80)
    name!: string

    @IsEmail()
    email!: string

    @IsInt()
    @Min(0)
    @Max(1000 + index)
    amount!: number

    @IsBoolean()
    active!: boolean

    @IsArray()
    @IsString({ each: true })
    tags!: string[]

    @Matches(/^[A-Z]{2}-\d+$/)
    code!: string

    @IsIn(['open', 'closed', `state-${index}`])
    state!: string

    @ValidateNested()
    @Type(() => Address)
    address!: Address
  }
  Object.defineProperty(Entry, 'name', { value: `Entry${index}` })
  return Entry
}

function makeValue(index: number): object {
  return {
    name: `Entry number ${index}`,
    email: `entry.${index}@mail.example.org`,
    amount: index,
    active: index % 2 === 0,
    tags: ['one', 'two', `group-${index}`],
    code: `AB-${index}`,
    state: 'open',
    address: { street: `${index} Long Winding Road`, city: 'Little Whinging', zip: String(10000 + index) },
  }
}
