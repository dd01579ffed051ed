import type { Can } from './driver'
import type { RedisConnection, RedisReply } from './redis-connection'

const questions = ['appendonly', 'appendfsync', 'no-appendfsync-on-rewrite', 'maxmemory', 'maxmemory-policy'] as const

/**
 * What an acknowledged write survives on this server. Only `appendfsync always` syncs before it answers. With `no` the
 * write has been handed to the system, so it survives the server's process. With `everysec` it usually has, but Redis puts
 * it off for up to two seconds while a sync takes its time: that is no promise, nor are snapshots, nor is anything where memory that runs short is made by forgetting.
 */
export async function durabilityOf(send: RedisConnection['send']): Promise<Can['durable']> {
  const settings = new Map<string, string>()
  try {
    for (const question of questions) settings.set(question, await ask(send, question))
  } catch (error) {
    // Managed servers forbid CONFIG: of what is not known nothing is promised.
    if (error instanceof Error && error.name === 'ReplyError') return 'memory'
    throw error
  }
  const evicts = settings.get('maxmemory-policy') !== 'noeviction' && settings.get('maxmemory') !== '0'
  if (evicts || settings.get('appendonly') !== 'yes') return 'memory'
  if (settings.get('appendfsync') === 'no') return 'crash'
  if (settings.get('appendfsync') !== 'always') return 'memory'
  return settings.get('no-appendfsync-on-rewrite') === 'no' ? 'power' : 'crash'
}

async function ask(send: RedisConnection['send'], name: string): Promise<string> {
  const reply = (await send('CONFIG', 'GET', name)) as readonly RedisReply[]
  return String(reply[1] ?? '')
}
