import { setTimeout as sleep } from 'node:timers/promises'
import { Get, Produces, Resource, Signal, event } from 'kumu'

@Resource('/events')
export class Events {
  @Get()
  @Produces('text/event-stream')
  async *ticks(@Signal() signal: AbortSignal) {
    for (let count = 1; !signal.aborted; count++) {
      yield event({ count, time: new Date().toISOString() }, { event: 'tick', id: String(count) })
      await sleep(1000, undefined, { signal }).catch(() => undefined)
    }
  }
}
