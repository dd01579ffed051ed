import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { own, peers } from '../../bench/contenders'

const bench = join(__dirname, '..', '..', 'bench')

interface Manifest {
  readonly private: boolean
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version?: string }>>
}

function read<T>(...path: string[]): T {
  return JSON.parse(readFileSync(join(bench, ...path), 'utf8')) as T
}

describe('bench/peers', () => {
  it.each(own)('%s has a server', (name) => {
    expect(existsSync(join(bench, 'servers', `${name}.ts`))).toBe(true)
  })

  it.each(peers)('%s has a server', (name) => {
    expect(existsSync(join(bench, 'peers', `${name}.ts`))).toBe(true)
  })

  it('every package is pinned, and locked at what it is pinned to', () => {
    const manifest = read<Manifest>('peers', 'package.json')
    const { packages } = read<Lock>('peers', 'package-lock.json')
    expect(manifest.private).toBe(true)
    for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
      expect(version).toMatch(/^\d+\.\d+\.\d+$/)
      expect([name, packages[`node_modules/${name}`]?.version]).toEqual([name, version])
    }
  })
})
