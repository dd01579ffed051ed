import 'reflect-metadata'
import { Exclude, Expose, Transform, Type } from 'class-transformer'
import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsDate,
  IsEmail,
  IsEnum,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsNumber,
  IsObject,
  IsOptional,
  IsPositive,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateIf,
  ValidateNested,
} from 'class-validator'
import { JSONSchema } from 'class-validator-jsonschema'
import {
  Atomic,
  Authorize,
  Body,
  Conflict,
  Consumes,
  Context,
  Cookie,
  createApp,
  Delete,
  Deprecated,
  File,
  Files,
  Forbidden,
  Get,
  Header,
  Integer,
  Nullable,
  Page,
  Paged,
  Param,
  Patch,
  Post,
  Produces,
  Put,
  Query,
  RawBody,
  Redirect,
  RequireMatch,
  Resource,
  ResponseHeader,
  Returns,
  Status,
  Summary,
  Tag,
  Throws,
  Timeout,
  TooManyRequests,
  Version,
  withETag,
  accepted,
  created,
  slice,
  type App,
  type AppOptions,
  type PageRequest,
  type UploadedFile,
} from 'kumu'
import { z } from 'zod'

export enum Size {
  Small,
  Large,
}

export class Circle {
  @IsNumber() @IsPositive() radius!: number
}

export class Square {
  @IsInt() @Min(1) side!: number
}

export class Shape {}

export class Node {
  @IsString() name!: string

  @ValidateNested({ each: true }) @Type(() => Node) @IsArray() children!: Node[]
}

/** Every kind of property that the rules know. */
@JSONSchema({ description: 'One of everything' })
export class Everything {
  @IsString() @Length(1, 80) @JSONSchema({ description: 'What it is called', example: 'Ada' }) name!: string

  @IsEmail() @IsOptional() email?: string

  @IsString() @Nullable() nickname!: string | null

  @IsOptional() @IsInt() @Min(0) @Max(150) @Nullable() age?: number | null

  @IsIn(['a', 1, true]) mixed!: string | number | boolean

  @IsIn(['low', 'high']) @Nullable() level!: string | null

  @IsEnum(Size) size!: Size

  @Matches(/^[a-f]+x$/i) hex!: string

  @Matches(/^a/) @Matches(/z$/) twice!: string

  @IsArray() @IsArray({ each: true }) matrix!: number[][]

  @IsArray() @IsString({ each: true }) @MaxLength(5, { each: true }) @ArrayMaxSize(3) @ArrayUnique() tags!: string[]

  @ValidateNested()
  @Type(() => Shape, {
    keepDiscriminatorProperty: true,
    discriminator: {
      property: 'kind',
      subTypes: [
        { name: 'circle', value: Circle },
        { name: 'square', value: Square },
      ],
    },
  })
  shape!: Circle | Square

  @ValidateNested({ each: true }) @Type(() => Square) @Nullable() squares!: Square[] | null

  @ValidateNested() @Type(() => Node) @Nullable() tree!: Node | null

  @IsNotEmpty() filled!: number

  @IsBoolean() flag = false

  @IsOptional() @IsDate() @Type(() => Date) born?: Date

  @IsObject() extra!: Record<string, unknown>

  @ValidateIf((object: Everything) => object.flag) @IsString() reason!: string

  @Expose({ name: 'full-name' }) @IsString() fullName!: string
}

/** What goes in is not what comes out. */
export class Account {
  @IsString() login!: string

  @Exclude({ toPlainOnly: true }) @IsString() @Length(8, 200) password!: string

  @Expose({ toPlainOnly: true }) get initials(): string {
    return this.login.slice(0, 2)
  }

  @Transform(({ value }) => String(value), { toPlainOnly: true }) @IsInt() level = 1
}

export class Filter {
  @IsOptional() @IsString() q?: string

  @IsOptional() @IsInt() @Min(1) @Type(() => Number) depth?: number
}

/** Two classes of one name. */
export const [FirstNote, SecondNote] = [
  class Note {
    declare text: string
  },
  class Note {
    declare count: number
  },
]
IsString()(FirstNote.prototype, 'text')
IsInt()(SecondNote.prototype, 'count')

const Money = z.object({ amount: z.number(), currency: z.enum(['EUR', 'CHF']) })

const everything: unknown = {
  name: 'Ada',
  nickname: null,
  mixed: 1,
  level: null,
  size: 1,
  hex: 'ABx',
  twice: 'abcz',
  matrix: [[1, 2], [3]],
  tags: ['a', 'b'],
  shape: { kind: 'circle', radius: 2 },
  squares: null,
  tree: { name: 'root', children: [{ name: 'leaf', children: [] }] },
  filled: 1,
  extra: {},
  'full-name': 'Ada Lovelace',
}

@Resource('/things')
@Tag('things')
class Things {
  @Post()
  @Status(201)
  @Returns(Everything, { status: 201, description: 'It is there now' })
  create(@Body() body: Everything) {
    return created(body, '/things/1')
  }

  @Get()
  @Returns(Everything)
  @Paged({ max: 50, sort: ['name'], filter: { name: String, size: Integer }, cursor: 'name' })
  list(@Page() page: PageRequest) {
    return slice([], page.offset)
  }

  @Get('/:id')
  @Returns(Account, { etag: true })
  @Summary('One of them', 'The whole of it.')
  one(@Param('id', { type: Integer, min: 1, description: 'Its number', example: 7 }) id: number) {
    if (id > 100) return null
    return withETag(Object.assign(new Account(), { login: `user${id}`, password: 'hidden-away' }), '1')
  }

  @Put('/:id')
  @RequireMatch()
  @Returns(Account)
  replace(@Param('id') _id: number, @Body() body: Account) {
    return body
  }

  @Delete('/:thing') remove(@Param('thing') _thing: string) {}

  @Patch('/:id') @Throws(Conflict) patch(@Param('id') _id: number, @Body(Object) body: unknown) {
    return body
  }
}

class OutOfPaper extends Error {}

@Resource('/calls')
@Version('v2')
class Calls {
  @Get('/search') search(
    @Query() filter: Filter,
    @Header('x-tenant') _tenant: string,
    @Cookie('seen', { required: false }) _seen?: string,
  ) {
    return filter
  }

  @Get('/named')
  named(
    @Query('ids', { type: Integer, list: '+', max: 5 }) ids: number[],
    @Query('mode', { choices: ['fast', /slow-\d+/], default: 'fast' }) mode: string,
    @Query('word', { forbidden: ['no'], pattern: /[a-z]+/i, min: 2, max: 9, required: false }) word?: string,
    @Query('when', { type: Date, required: false }) when?: Date,
  ) {
    return { ids, mode, word: word ?? null, when: when ?? null }
  }

  @Get('/old')
  @Deprecated({ since: '2026-01-31', sunset: '2027-01-31', link: '/docs/new' })
  @Returns(String)
  old() {
    return 'old'
  }

  @Get('/elsewhere') @Redirect('/v2/calls/old', 303) elsewhere() {}

  @Get('/archive{/:year}') archive(@Param('year', { required: false }) year?: number) {
    return { year: year ?? null }
  }

  @Get('/files/*path') @Produces('application/octet-stream') download(@Param('path') path: string) {
    return Buffer.from(path)
  }

  @Post('/money') @Returns(Money) money(@Body(Money) body: z.infer<typeof Money>) {
    return body
  }

  @Post('/jobs') @Returns(Object, { status: 202 }) @Throws(OutOfPaper, TooManyRequests) start() {
    return accepted({ state: 'queued' }, { location: '/v2/calls/jobs/1', retryAfter: 5 })
  }

  @Get('/stream') @Produces('application/x-ndjson') async *stream() {
    yield { n: 1 }
  }

  @Post('/raw') raw(@RawBody() bytes: Buffer) {
    return { length: bytes.length }
  }

  @Post('/text') @Consumes('text/plain') @Returns(String) text(@Body() body: string) {
    return body
  }

  @Post('/notes') @Returns(SecondNote) notes(@Body(FirstNote) _body: unknown) {
    return { count: 1 }
  }

  @Post('/upload')
  @Status(204)
  upload(
    @File('one') _one: UploadedFile,
    @Files('more', { required: false, max: 2 }) _more: UploadedFile[],
    @Body('title', { type: String, max: 40 }) _title: string,
  ) {}

  @Get('/context') @ResponseHeader('X-Kind', 'plain') context(@Context() _ctx: unknown) {
    return {}
  }
}

@Resource('/admin')
@Authorize('admin', 'root')
class Admin {
  @Post('/reset') @Atomic() @Timeout(5000) @Status(204) reset() {}

  @Get('/who') @Authorize() @Throws(Forbidden) who() {
    return { id: 'ada' }
  }
}

@Resource(/\/odd-\d+/)
class Odd {
  @Get() get() {
    return {}
  }
}

/** An application with one of everything that a document can tell. */
export function createWide(options: AppOptions = {}): App {
  return createApp({
    resources: [Things, Calls, Admin, Odd],
    auth: {
      verify: Object.assign(
        async (credentials: string) => (credentials === 'Bearer ada' ? { id: 'ada', roles: ['admin'] } : undefined),
        {
          challenges: ['Bearer realm="wide"', 'Basic realm="wide"'],
        },
      ),
    },
    errors: { status: [(error) => (error instanceof OutOfPaper ? 507 : undefined)] },
    openapi: { info: { title: 'Wide', version: '1.2.3' } },
    ...options,
  })
}

/** A body that {@link Everything} takes. */
export const goodThing = everything
