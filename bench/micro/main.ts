import { bodies } from './bodies'
import { checking } from './checking'
import { routing } from './routing'
import { writing } from './writing'

// One group of rows a process, named by the command line: what runs first shapes how the rest is compiled.

const groups: Readonly<Record<string, () => void | Promise<void>>> = { routing, bodies, writing, checking }

async function main(name: string): Promise<void> {
  const group = groups[name]
  if (!group) throw new Error(`There are ${Object.keys(groups).join(', ')}, no ${name}`)
  await group()
}

main(process.argv[2] ?? '').catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
