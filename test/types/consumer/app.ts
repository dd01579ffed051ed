import 'reflect-metadata'
import { strict as assert } from 'node:assert'
import type { AddressInfo } from 'node:net'
import { IsEmail, IsInt, IsOptional, Length, Max, Min } from 'class-validator'
import type Koa from 'koa'
import {
  Body,
  created,
  createApp,
  Delete,
  Get,
  HttpError,
  Integer,
  NoSuchResource,
  Param,
  Post,
  Query,
  Resource,
  type RoutePlan,
} from 'kumu'
import { docstore, documents } from 'kumu/docstore'
import { memory } from 'kumu/docstore/memory'

class NewEmployee {
  @Length(1, 80)
  name!: string

  @IsEmail()
  email!: string

  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(150)
  age?: number
}

interface Employee extends NewEmployee {
  id: number
}

@Resource('/employees')
class Employees {
  private readonly rows = new Map<number, Employee>()

  @Get()
  list(@Query('prefix', { default: '' }) prefix: string): Employee[] {
    return [...this.rows.values()].filter(({ name }) => name.startsWith(prefix))
  }

  @Get('/:id')
  one(@Param('id', { type: Integer }) id: number): Employee {
    const row = this.rows.get(id)
    if (!row) throw new NoSuchResource(`There is no employee ${id}`)
    return row
  }

  @Post()
  create(@Body() body: NewEmployee) {
    const row: Employee = { ...body, id: this.rows.size + 1 }
    this.rows.set(row.id, row)
    return created(row, `/employees/${row.id}`)
  }

  @Delete('/:id')
  remove(@Param('id', { type: Integer }) id: number): void {
    if (!this.rows.delete(id)) throw new HttpError(404, undefined, { code: 'no-employee' })
  }
}

async function main(): Promise<void> {
  const store = docstore(memory())
  const app = createApp({ resources: [new Employees(), documents('/documents', store)] })
  const koa: Koa = app
  const plans: readonly RoutePlan[] = app.plans
  assert.ok(plans.some((plan) => plan.method === 'POST' && plan.path === '/employees'))

  const server = koa.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  try {
    const post = (body: unknown) =>
      fetch(`${base}/employees`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    const answer = await post({ name: 'Ada', email: 'ada@example.org' })
    assert.equal(answer.status, 201)
    assert.equal(answer.headers.get('location'), '/employees/1')
    assert.deepEqual(await (await fetch(`${base}/employees/1`)).json(), {
      name: 'Ada',
      email: 'ada@example.org',
      id: 1,
    })
    assert.equal((await post({ name: '', email: 'none' })).status, 422)
    assert.equal((await fetch(`${base}/employees?prefix=B`)).status, 200)
    assert.equal((await fetch(`${base}/employees/x`)).status, 400)
    assert.equal((await fetch(`${base}/employees/1`, { method: 'DELETE' })).status, 204)
    assert.equal((await fetch(`${base}/documents/a`, { method: 'PUT', body: 'x' })).status, 201)
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
