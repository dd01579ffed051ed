import type { ListShape, MemberShape, RecordShape, Shape } from './shape'

// The text of a long list is made flat in pieces: as one rope of a million parts it would outlive the young generation.
const piece = 64

/**
 * The source of a function body that returns the writer of one shape.
 *
 * Each list and object of the shape is a function; what does not fit goes to `writeOther`, or to `write` where anything
 * may stand. The names of the members are literals in it, all else of the application is among the constants.
 *
 * @returns the source, and the array that it calls `constants`
 */
export function toSource(shape: ListShape | RecordShape): {
  readonly source: string
  readonly constants: readonly unknown[]
} {
  const constants: unknown[] = []
  const functions: string[] = []
  const caches: string[] = []

  function constant(value: unknown): string {
    constants.push(value)
    return `constant${constants.length - 1}`
  }

  /** The name of a function that writes values of this shape; `declared` says whether `@Type` has a say in it. */
  function define(shape: ListShape | RecordShape, depth: number, declared: boolean, inList: boolean): string {
    const name = `write${functions.length}`
    const index = functions.push('') - 1
    const body = shape.way === 'list' ? listBody(shape, depth, declared) : recordBody(shape, depth, declared, inList)
    functions[index] = `function ${name}(value${declared ? ', declared' : ''}) {\n${body}\n}`
    return name
  }

  function listBody({ element }: ListShape, depth: number, declared: boolean): string {
    const also = declared ? ', declared' : ''
    const other = `write(element, ${depth + 1}${also})`
    const isNested = element.way === 'list' || element.way === 'record'
    const inner = isNested && `${define(element, depth + 1, declared, true)}(element${also})`
    const stray = element.way === 'unknown' ? `writeOther(element, ${depth + 1}${also})` : other
    const general = `(typeof element === 'object' && element !== null ? ${inner || stray} : ${other})`
    const lead = "(index === 0 ? '[' : ',')"
    const append =
      element.way === 'string' && !declared
        ? `if (typeof element === 'string' && isVerbatim(element)) text += (index === 0 ? '["' : ',"') + element + '"'
    else text += ${lead} + (${general} ?? 'null')`
        : `text += ${lead}
    text += ${general} ?? 'null'`
    // V8 itself is faster with many scalars.
    const many = isNested || declared ? '' : `\n  if (value.length > 8) return write(value, ${depth})`
    return `  if (!isArray(value) || value.toJSON !== undefined) return writeOther(value, ${depth}${also})${many}
  let done = ''
  let text = ''
  for (let index = 0; index < value.length; index++) {
    const element = value[index]
    ${append}
    if (index % ${piece} === ${piece - 1}) {
      done += flatten(text)
      text = ''
    }
  }
  return value.length === 0 ? '[]' : done + text + ']'`
  }

  function recordBody(shape: RecordShape, depth: number, declared: boolean, inList: boolean): string {
    const { prototype, members } = shape
    const other = `return writeOther(value, ${depth}${declared ? ', declared' : ''})`
    const isExposed = members.some(({ property }) => property)
    const odd = isExposed ? '' : ' || value.toJSON !== undefined'
    const lines = [
      `if (prototypeOf(value) !== ${constant(prototype)}${odd}) ${other}`,
      ...nameCheck(shape, other),
      "let text = ''",
    ]
    members.forEach((member, index) => {
      lines.push(...memberLines(member, index === 0 ? '{' : ',', depth, inList))
      if (index === 0) lines.push("const isOpen = text !== ''")
    })
    lines.push("return isOpen ? text + '}' : reopen(text)")
    return lines.map((line) => '  ' + line).join('\n')
  }

  /** Lines that go on only with an object that has the names of the shape in their order. */
  function nameCheck({ names, optional }: RecordShape, other: string): string[] {
    const known = constant(names)
    if (!optional.includes(true)) {
      return [
        'let at = 0',
        `for (const name in value) if (name !== ${known}[at++]) ${other}`,
        `if (at !== ${names.length}) ${other}`,
      ]
    }
    const missing = constant(optional)
    return [
      'let at = 0',
      'for (const name in value) {',
      `  while (name !== ${known}[at]) if (${missing}[at++] !== true) ${other}`,
      '  at++',
      '}',
      `while (at < ${names.length}) if (${missing}[at++] !== true) ${other}`,
    ]
  }

  function memberLines(member: MemberShape, brace: string, depth: number, inList: boolean): string[] {
    const { name, output, shape, property } = member
    const lead = brace + JSON.stringify(output) + ':'
    const holder = property && (property.transforms.length > 0 || property.type) ? constant(property) : undefined
    const read = holder ? `exposedValue(value, ${holder})` : `value[${JSON.stringify(name)}]`
    const lines = [`let member = ${read}`]
    if (property && !holder) lines.push("if (typeof member === 'function') member = member.call(value)")
    if (property?.type) lines.push(`const declared = declare(value, ${holder})`, ...typedLines(member, lead, depth))
    else lines.push(...untypedLines(shape, lead, depth, inList))
    return ['{', ...lines.map((line) => '  ' + line), '}']
  }

  function appendAny(lead: string, depth: number, declared: boolean, writer = 'write'): string[] {
    return [
      `const written = ${writer}(member, ${depth + 1}${declared ? ', declared' : ''})`,
      `if (written !== undefined) text += ${literal(lead)} + written`,
    ]
  }

  function untypedLines(shape: Shape, lead: string, depth: number, inList: boolean): string[] {
    const any = appendAny(lead, depth, false)
    const otherwise = ['else if (member !== undefined) {', ...any.map((line) => '  ' + line), '}']
    switch (shape.way) {
      case 'string': {
        const quoted = `isVerbatim(member) ? ${literal(lead + '"')} + member + '"' : ${literal(lead)} + stringify(member)`
        if (!inList) return [`if (typeof member === 'string') text += ${quoted}`, ...otherwise]
        // A state, a type, a currency stand in row after row.
        const [last, written] = [`last${caches.length}`, `text${caches.length}`]
        caches.push(last)
        return [
          "if (typeof member === 'string') {",
          `  if (member !== ${last}) {`,
          `    ${written} = ${quoted}`,
          `    ${last} = member`,
          '  }',
          `  text += ${written}`,
          '}',
          ...otherwise,
        ]
      }
      case 'escaped':
        return [`if (typeof member === 'string') text += ${literal(lead)} + stringify(member)`, ...otherwise]
      case 'fraction':
      case 'number':
        return [
          `if (typeof member === 'number' && member - member === 0) text += ${literal(lead)} + member`,
          ...otherwise,
        ]
      case 'boolean':
        return [
          `if (typeof member === 'boolean') text += member ? ${literal(lead + 'true')} : ${literal(lead + 'false')}`,
          ...otherwise,
        ]
      case 'list':
      case 'record':
        return [
          `if (typeof member === 'object' && member !== null) {`,
          `  const written = ${define(shape, depth + 1, false, false)}(member)`,
          `  if (written !== undefined) text += ${literal(lead)} + written`,
          '}',
          ...otherwise,
        ]
      case 'unknown':
        return [
          "if (typeof member === 'object' && member !== null) {",
          ...appendAny(lead, depth, false, 'writeOther').map((line) => '  ' + line),
          '}',
          ...otherwise,
        ]
      case 'any':
      case 'deep':
        return any
    }
  }

  function typedLines({ shape, property }: MemberShape, lead: string, depth: number): string[] {
    const any = appendAny(lead, depth, true)
    const isDirect = !property?.type?.options?.discriminator && isExposed(shape)
    if (!isDirect) return any
    return [
      "if (typeof member === 'object' && member !== null && !isScalar(declared)) {",
      `  const written = ${define(shape as ListShape | RecordShape, depth + 1, true, false)}(member, declared)`,
      `  if (written !== undefined) text += ${literal(lead)} + written`,
      '} else {',
      ...any.map((line) => '  ' + line),
      '}',
    ]
  }

  const root = define(shape, 0, false, false)
  const forget = caches.map((_, index) => `last${index} = text${index} = undefined`).join('\n')
  const source = [
    ...constants.map((_, index) => `const constant${index} = constants[${index}]`),
    ...caches.map((_, index) => `let last${index}\nlet text${index}`),
    ...functions,
    // What was written is not kept: a short text may be a part of a long one.
    `return function writeShape(value) {\ntry {\nreturn ${root}(value)\n} finally {\n${forget}\n}\n}`,
  ].join('\n')
  return { source: "'use strict'\n" + source, constants }
}

/** Whether the class of a value has a say of its own in what goes out: then its declared one has none. */
function isExposed(shape: Shape): boolean {
  if (shape.way === 'list') return isExposed(shape.element)
  return shape.way === 'record' && shape.members.some(({ property }) => property)
}

function literal(text: string): string {
  return JSON.stringify(text)
}
