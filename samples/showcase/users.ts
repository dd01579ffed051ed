import { randomUUID } from 'node:crypto'
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
import { Body, Get, NoSuchResource, Param, Post, Resource, created } from 'kumu'

export class Address {
  @IsString()
  street!: string

  @IsString()
  city!: string

  @Matches(/^\d{5}$/)
  zip!: string
}

export class NewUser {
  @IsString()
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

  @IsIn(['admin', 'editor', 'reader'])
  role!: 'admin' | 'editor' | 'reader'
}

@Resource('/users')
export class Users {
  private readonly users = new Map<string, NewUser & { id: string }>()

  @Post()
  create(@Body() body: NewUser) {
    const user = { ...body, id: randomUUID() }
    this.users.set(user.id, user)
    return created(user, `/users/${user.id}`)
  }

  @Get('/:id')
  one(@Param('id') id: string) {
    const user = this.users.get(id)
    if (!user) throw new NoSuchResource('There is no such user')
    return user
  }
}
