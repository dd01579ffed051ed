import { Type } from 'class-transformer'
import {
  ArrayMaxSize,
  IsArray,
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
import { roles } from '../work'

export class Address {
  @IsString()
  street!: string

  @IsString()
  city!: string

  @Matches(/^\d{5}$/)
  zip!: string
}

/** The user of W2 and W5 as a class. */
export class User {
  @Length(1, 80)
  name!: string

  @IsEmail()
  email!: string

  @IsInt()
  @Min(0)
  @Max(150)
  age!: number

  @IsArray()
  @ArrayMaxSize(10)
  @IsString({ each: true })
  tags!: string[]

  @ValidateNested()
  @Type(() => Address)
  address!: Address

  @IsIn(roles)
  role!: string
}
