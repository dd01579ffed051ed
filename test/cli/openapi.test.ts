import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { parse } from 'yaml'
import { createDirectory, kumu, removeDirectories } from './support/kumu'

afterEach(removeDirectories)

interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, object>>
}

describe('kumu openapi APP', () => {
  it('prints the document as JSON, and with --yaml the same as YAML', async () => {
    const [json, yaml] = await Promise.all([kumu(['openapi', 'shop.ts']), kumu(['openapi', 'shop.ts', '--yaml'])])
    expect([json.code, json.err, yaml.code, yaml.err]).toEqual([0, '', 0, ''])
    const document = JSON.parse(json.out) as Document
    expect(document.openapi).toMatch(/^3\.1\./)
    expect(Object.keys(document.paths).sort()).toEqual([
      '/api/fruits',
      '/api/fruits/search',
      '/api/fruits/{id}',
      '/api/fruits/{id}/label',
    ])
    expect(parse(yaml.out)).toEqual(document)
  })

  it('tells the routes of routers in an application of Koa', async () => {
    const { out } = await kumu(['openapi', 'factories.ts#host'])
    expect(Object.keys((JSON.parse(out) as Document).paths).sort()).toEqual(['/second', '/v1/first'])
  })

  it('--out writes a file, and nothing else', async () => {
    const dir = createDirectory()
    const file = join(dir, 'api.json')
    expect(await kumu(['openapi', 'shop.ts', '--out', file])).toEqual({ code: 0, out: '', err: '' })
    const { out } = await kumu(['openapi', 'shop.ts'])
    expect(readFileSync(file, 'utf8')).toBe(out)
    expect(readdirSync(dir)).toEqual(['api.json'])
  })

  it('--out that cannot be written is a failure', async () => {
    const file = join(createDirectory(), 'gone', 'api.json')
    const { code, out, err } = await kumu(['openapi', 'shop.ts', '--out', file])
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toContain(`kumu: ${file} cannot be written: ENOENT`)
  })
})

describe('kumu types APP', () => {
  it('prints a declaration file with the paths', async () => {
    const { code, out, err } = await kumu(['types', 'shop.ts'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const source = ts.createSourceFile('api.d.ts', out, ts.ScriptTarget.ES2022, true)
    const paths = source.statements.find((each) => ts.isInterfaceDeclaration(each) && each.name.text === 'paths')
    const names = paths && ts.isInterfaceDeclaration(paths) ? paths.members.map((each) => each.name?.getText()) : []
    expect(names).toContain('"/api/fruits/{id}/label"')
    expect(names).toHaveLength(4)
  })

  it('--out writes a file', async () => {
    const file = join(createDirectory(), 'api.d.ts')
    expect(await kumu(['types', 'shop.ts', '--out', file])).toEqual({ code: 0, out: '', err: '' })
    expect(readFileSync(file, 'utf8')).toContain('export interface paths {')
  })
})
