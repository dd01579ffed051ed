/** One event of a stream of server-sent events. */
export interface ServerEvent {
  /** Its type; `message` where the server names none. */
  readonly event: string
  readonly data: string
  /** The last event id that the stream has named, empty where it has named none. */
  readonly id: string
}

/** What a stream has said of itself, for a resumption. */
export interface EventState {
  /** The id to send as `Last-Event-ID`. */
  lastId: string
  /** Milliseconds to wait before connecting again; none: the server has not said. */
  retry: number | undefined
}

/**
 * Parses server-sent events.
 *
 * @param lines those of the stream, split at CR, LF and CRLF
 * @param state is kept up to date
 * @see WHATWG HTML §9.2.6
 */
export async function* parseEvents(lines: AsyncIterable<string>, state: EventState): AsyncGenerator<ServerEvent, void> {
  let event = ''
  let data: string[] = []
  let id = state.lastId
  for await (const line of lines) {
    if (line === '') {
      // Only a whole event moves the place to resume at.
      state.lastId = id
      if (data.length > 0) yield { event: event === '' ? 'message' : event, data: data.join('\n'), id }
      event = ''
      data = []
      continue
    }
    const [name, value] = splitField(line)
    if (name === 'data') data.push(value)
    else if (name === 'event') event = value
    else if (name === 'id' && !value.includes('\0')) id = value
    else if (name === 'retry' && /^\d+$/.test(value)) state.retry = Number(value)
  }
  // An event without its blank line is dropped.
}

function splitField(line: string): readonly [name: string, value: string] {
  const colon = line.indexOf(':')
  // A comment has an empty name, and that is the name of no field.
  if (colon < 0) return [line, '']
  return [line.slice(0, colon), line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)]
}
