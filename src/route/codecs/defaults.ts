import type { Codec } from '../plan'
import { bytes } from './bytes'
import { form } from './form'
import { json } from './json'
import { ndjson } from './ndjson'
import { text } from './text'
import { xml } from './xml'

/** The codecs of every application, in the order in which they are offered. */
export const defaultCodecs: readonly Codec[] = Object.freeze([json, xml, form, ndjson, text, bytes])
