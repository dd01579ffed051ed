import { componentsFor } from './part'
import type { Content, OpenApiDocument, OperationObject, PathItem, ResponseObject } from './types'

/** The package that makes typings is not installed. */
export class TypingsUnavailable extends Error {
  override readonly name = 'TypingsUnavailable'
}

/**
 * The typings of a document: `paths`, `components` and `operations` as flat interfaces, which an editor reads at once. Of
 * several representations of one thing the JSON one stands there, for that is what a client of theirs reads.
 *
 * @param document what {@link createDocument} made, or any other of OpenAPI 3.1
 * @returns the text of a declaration file
 * @throws TypingsUnavailable where openapi-typescript is not installed
 *
 * @example
 * await writeFile('api.d.ts', await createTypings(createDocument(plans)))
 */
export async function createTypings(document: OpenApiDocument): Promise<string> {
  const { default: convert, astToString } = await load()
  const nodes = await convert(JSON.parse(JSON.stringify(readByClients(document))) as never, {
    silent: true,
    // A default makes a member optional for who sends it, which `required` says already.
    defaultNonNullable: false,
  })
  return `// Made of the OpenAPI document: not to be edited.\n\n${astToString(nodes)}`
}

async function load() {
  try {
    // The package comes as an ES module alone, and is optional: here is where it is missed.
    return await import('openapi-typescript')
  } catch (cause) {
    throw new TypingsUnavailable(
      'Typings need the package openapi-typescript: npm install openapi-typescript typescript',
      { cause },
    )
  }
}

/** What a typed client sees of a document: one representation of each body, and no headers of answers. */
export function readByClients(document: OpenApiDocument): OpenApiDocument {
  const paths = Object.fromEntries(
    Object.entries(document.paths).map(([path, item]): [string, PathItem] => [path, itemOf(item)]),
  )
  const { responses = {}, ...others } = document.components ?? {}
  const plain = Object.fromEntries(Object.entries(responses).map(([name, response]) => [name, responseOf(response)]))
  const components = { ...others, responses: plain }
  return { ...document, paths, components: { ...componentsFor(paths, components), schemas: components.schemas ?? {} } }
}

function itemOf(item: PathItem): PathItem {
  return Object.fromEntries(
    Object.entries(item).map(([method, operation]): [string, OperationObject] => {
      const { requestBody, responses } = operation
      return [
        method,
        {
          ...operation,
          ...(requestBody && { requestBody: { ...requestBody, content: preferred(requestBody.content) } }),
          responses: Object.fromEntries(
            Object.entries(responses).map(([status, response]) => {
              return [status, '$ref' in response ? response : responseOf(response)]
            }),
          ),
        },
      ]
    }),
  )
}

function responseOf({ description, content }: ResponseObject): ResponseObject {
  return { description, ...(content && { content: preferred(content) }) }
}

const jsonLike = /^application\/(?:[\w.-]+\+)?json$/

/** JSON, and what is no other form of it: patches of two kinds are two things. */
function preferred(content: Content): Content {
  const types = Object.keys(content)
  const json = types.filter((type) => jsonLike.test(type))
  const kept = json.length > 0 ? json : types
  return Object.fromEntries(kept.map((type) => [type, content[type] ?? {}]))
}
