import 'reflect-metadata'
import { IsEmail, IsIn, IsInt, IsOptional, IsString, Length, Min } from 'class-validator'
import { Body, Delete, Get, Integer, Paged, Param, Post, Put, Resource, Returns, createApp, type App } from 'kumu'

/** A class of its own for a resource, with rules as they are usual. */
function createModel(number: number): new () => object {
  const Model = { [`Model${number}`]: class {} }[`Model${number}`] as new () => object
  const put = (name: string, type: unknown, ...rules: PropertyDecorator[]): void => {
    for (const rule of rules) rule(Model.prototype as object, name)
    Reflect.defineMetadata('design:type', type, Model.prototype as object, name)
  }
  put('name', String, IsString(), Length(1, 80))
  put('email', String, IsEmail(), IsOptional())
  put('age', Number, IsInt(), Min(0))
  put('role', String, IsIn(['admin', 'editor', 'reader']))
  put(`own${number}`, String, IsString())
  return Model
}

function createResource(number: number): new () => object {
  const Model = createModel(number)
  const path = `/resource-${number}`
  class Numbered {
    list(): object[] {
      return []
    }
    one(id: number): object {
      return { id }
    }
    create(body: object): object {
      return body
    }
    replace(_id: number, body: object): object {
      return body
    }
    remove(): void {}
  }
  const prototype = Numbered.prototype
  const on = (name: keyof Numbered, ...decorators: Array<(target: object, name: string) => void>): void => {
    for (const decorate of decorators) decorate(prototype, name)
  }
  const id = Param('id', { type: Integer }) as unknown as ParameterDecorator
  const body = Body(Model) as unknown as ParameterDecorator
  on('list', Get(), Returns([Model]), Paged({ sort: ['name'], filter: { name: String, age: Integer } }))
  on('one', Get('/:id'), Returns(Model))
  id(prototype, 'one', 0)
  on('create', Post(), Returns(Model, { status: 201 }))
  body(prototype, 'create', 0)
  on('replace', Put('/:id'), Returns(Model))
  id(prototype, 'replace', 0)
  body(prototype, 'replace', 1)
  on('remove', Delete('/:id'))
  Object.defineProperty(Numbered, 'name', { value: `Resource${number}` })
  Resource(path)(Numbered)
  return Numbered
}

/** An application of so many resources, each with five routes. */
export function createLarge(resources: number): App {
  return createApp({
    resources: Array.from({ length: resources }, (_, index) => createResource(index + 1)),
    openapi: { ui: false, info: { title: 'Large', version: '1.0.0' } },
  })
}
