// Two validators that share nothing, on the document of the standard input: node validate.mjs < openapi.json
import { text } from 'node:stream/consumers'
import { validate } from '@hyperjump/json-schema/openapi-3-1'
import { Validator } from '@seriousme/openapi-schema-validator'

const document = JSON.parse(await text(process.stdin))

const ajv = await new Validator().validate(structuredClone(document))
// `schema-base` holds the schemas in the document to the dialect as well.
const hyperjump = await validate('https://spec.openapis.org/oas/3.1/schema-base', document, 'BASIC')

process.stdout.write(
  JSON.stringify({
    ajv: { valid: ajv.valid, errors: ajv.errors ?? [] },
    hyperjump: {
      valid: hyperjump.valid,
      errors: (hyperjump.errors ?? []).map(({ instanceLocation, absoluteKeywordLocation }) => {
        return `${instanceLocation} ${absoluteKeywordLocation}`
      }),
    },
  }),
)
