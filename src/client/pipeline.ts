import { bearerLayer } from './bearer'
import { cacheLayer } from './cache'
import { toSend, type Send } from './draft'
import { fetchSend, fetchTransport, withFailures, type Fetch } from './exchange'
import type { ClientSettings } from './options'
import { retryLayer, type Retry } from './retry'
import { deadlineLayer, timeoutLayer } from './timeout'
import { traceLayer } from './trace'

/**
 * The layers of a client, from the inside out; those that are not wanted are not there.
 *
 * @param settings checked options
 * @param fetch what makes the exchange where no transport is given
 */
export function createPipeline(settings: ClientSettings, fetch: Fetch): Send {
  const { token, trace, cache, timeout, deadline, retries, backoff } = settings
  let send = timeoutLayer(timeout)(createExchange(settings, fetch))
  // Inside the retries, for a token may end while they wait; outside the timeout, for a person may have to be asked for one.
  if (token !== undefined) send = bearerLayer(token, { onFailure: reportToken(settings) })(send)
  send = retryLayer({ retries, backoff, onRetry: reportRetry(settings) })(send)
  send = deadlineLayer(deadline)(send)
  if (cache) send = cacheLayer(cache === true ? {} : cache)(send)
  if (trace) send = traceLayer(trace === true ? undefined : trace)(send)
  return send
}

function createExchange({ transport, wrap, init }: ClientSettings, fetch: Fetch): Send {
  if (!transport && wrap.length === 0) return fetchSend(fetch, init)
  const wrapped = wrap.reduceRight((next, layer) => layer(next), transport ?? fetchTransport(fetch, init))
  return withFailures(toSend(wrapped))
}

function reportToken({ logger }: ClientSettings): ((error: unknown) => void) | undefined {
  return logger && ((error) => logger.warn({ err: error }, 'No token'))
}

function reportRetry({ logger, onRetry }: ClientSettings): ((retry: Retry) => void) | undefined {
  if (!logger) return onRetry
  return (retry) => {
    const { method, url, error, ...facts } = retry
    // A query may hold what no log should.
    logger.warn({ ...facts, method, url: url.replace(/[?#].*$/s, ''), ...(error && { err: error }) }, 'Trying again')
    onRetry?.(retry)
  }
}
