import { createHash } from 'node:crypto'

/** A script with the name that the server knows it by. */
export interface RedisScript {
  readonly text: string
  readonly sha: string
}

/**
 * What all scripts begin with. Keys: the last number, the index, the expiries, the log, then what the names of documents and
 * of chunks begin with. Arguments: the driver's clock (empty: the server's), the length of the log, the grace of a body.
 *
 * Numbers are microseconds, and more than the last one: they stay unique where the server loses its last writes.
 */
const prelude = `
local lastKey, indexKey, expiryKey, logKey, docs, chunks = unpack(KEYS)
local time = redis.call('TIME')
local micro = time[1] * 1000000 + time[2]
local now = ARGV[1] ~= '' and tonumber(ARGV[1]) or math.floor(micro / 1000)
local logLength, grace = ARGV[2], tonumber(ARGV[3])

local function record(op, key)
  local number = string.format('%.0f', math.max((tonumber(redis.call('GET', lastKey) or 0) or 0) + 1, micro))
  redis.call('SET', lastKey, number)
  redis.call('XADD', logKey, 'MAXLEN', '~', logLength, number .. '-0', 'o', op, 'k', key)
  return number
end

local function release(key)
  local old = redis.call('HMGET', docs .. key, 'id', 'chunks')
  for n = 0, (tonumber(old[2] or 0) or 0) - 1 do redis.call('PEXPIRE', chunks .. old[1] .. ':' .. n, grace) end
  redis.call('UNLINK', docs .. key)
end

local function remove(key, op)
  local number = record(op, key)
  release(key)
  redis.call('ZREM', indexKey, key)
  redis.call('ZREM', expiryKey, key)
  return number
end

local function current(key)
  local doc = redis.call('HMGET', docs .. key, 'rev', 'type', 'size', 'modified', 'expires')
  if doc[1] and not (doc[5] and tonumber(doc[5]) <= now) then return doc end
  if doc[1] or redis.call('ZSCORE', indexKey, key) then remove(key, 'expire') end
  return nil
end

local function reclaim(count)
  local due = redis.call('ZRANGE', expiryKey, '-inf', now, 'BYSCORE', 'LIMIT', 0, count)
  for _, key in ipairs(due) do
    if current(key) then redis.call('ZREM', expiryKey, key) end
  end
  return #due
end
`

/** Ten arguments a write: op, key, condition, its revision, type, size, expires, body id, chunks, body. */
const writeBody = `
reclaim(10)
local function holds(condition, rev, doc)
  if condition == 'any' then return true end
  if condition == 'absent' then return not doc end
  return doc and (condition == 'present' or doc[1] == rev)
end

local live = {}
for at = 4, #ARGV, 10 do
  local op, key, condition, rev = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local doc = current(key)
  if not holds(condition, rev, doc) then
    return { 'conflict', key, unpack(doc or {}, 1, doc and 5 or 0) }
  end
  for n = 0, (op == 'put' and tonumber(ARGV[at + 8]) or 0) - 1 do
    if redis.call('EXISTS', chunks .. ARGV[at + 7] .. ':' .. n) == 0 then return { 'lost', key } end
  end
  live[key] = doc and true or false
end

local answers = { 'done', string.format('%.0f', now) }
for at = 4, #ARGV, 10 do
  local op, key = ARGV[at], ARGV[at + 1]
  if op == 'delete' then
    answers[#answers + 1] = live[key] and remove(key, 'delete') or ''
  else
    local expires, id, count = ARGV[at + 6], ARGV[at + 7], tonumber(ARGV[at + 8])
    local number = record('put', key)
    if live[key] then release(key) end
    redis.call('HSET', docs .. key, 'rev', number, 'type', ARGV[at + 4], 'size', ARGV[at + 5], 'modified', answers[2])
    if count == 0 then redis.call('HSET', docs .. key, 'body', ARGV[at + 9])
    else redis.call('HSET', docs .. key, 'id', id, 'chunks', count) end
    for n = 0, count - 1 do redis.call('PERSIST', chunks .. id .. ':' .. n) end
    redis.call('ZADD', indexKey, 0, key)
    redis.call('ZREM', expiryKey, key)
    if expires ~= '' then
      redis.call('HSET', docs .. key, 'expires', expires)
      redis.call('ZADD', expiryKey, expires, key)
      if ARGV[1] == '' then
        -- The memory is freed even if nobody comes by. A key is there at its very millisecond, a document is not.
        redis.call('PEXPIREAT', docs .. key, string.format('%.0f', tonumber(expires) - 1))
        for n = 0, count - 1 do
          redis.call('PEXPIREAT', chunks .. id .. ':' .. n, string.format('%.0f', tonumber(expires) + grace))
        end
      end
    end
    answers[#answers + 1] = number
  end
end
return answers
`

/** Arguments: the lowest and the highest name, whether backwards, and one more than are wanted. */
const listBody = `
local low, high, count = ARGV[4], ARGV[5], tonumber(ARGV[7])
local keys
if ARGV[6] == '1' then
  keys = redis.call('ZRANGE', indexKey, high, low, 'BYLEX', 'REV', 'LIMIT', 0, count)
else
  keys = redis.call('ZRANGE', indexKey, low, high, 'BYLEX', 'LIMIT', 0, count)
end
local more = #keys == count
local answers = { more and keys[count - 1] or '' }
for n = 1, more and count - 1 or #keys do
  local doc = current(keys[n])
  if doc then answers[#answers + 1] = { keys[n], unpack(doc, 1, 5) } end
end
return answers
`

/** Where the log ends. An empty one gets an entry first: a feed always stands on one. */
const startBody = `
if redis.call('XLEN', logKey) == 0 then return record('start', '') end
local last = redis.call('XREVRANGE', logKey, '+', '-', 'COUNT', 1)[1][1]
return string.sub(last, 1, string.find(last, '-', 1, true) - 1)
`

/** The bytes of a chunk. Who reads a body that is on its way out keeps what is left of it a little longer. */
const chunkText = `
local left = redis.call('PTTL', KEYS[1] .. ARGV[1])
if left == -2 then return false end
local grace = tonumber(ARGV[5])
if left >= 0 and left < grace / 2 then
  for n = ARGV[1], ARGV[4] - 1 do
    local rest = redis.call('PTTL', KEYS[1] .. n)
    if rest >= 0 and rest < grace then redis.call('PEXPIRE', KEYS[1] .. n, grace) end
  end
end
return redis.call('GETRANGE', KEYS[1] .. ARGV[1], ARGV[2], ARGV[3])
`

/** Writes all or nothing: the conditions of all are decided first. */
export const writeScript = toScript(prelude + writeBody)

/** A page of the index with the metadata of its documents. */
export const listScript = toScript(prelude + listBody)

/** The number that a feed from now on starts behind. */
export const startScript = toScript(prelude + startBody)

/** Lets go of what has expired, at most so many. */
export const reclaimScript = toScript(`${prelude}return reclaim(tonumber(ARGV[4]))`)

/** Key: what the names of the chunks begin with. Arguments: which chunk, first and last byte, all chunks, the grace. */
export const chunkScript = toScript(chunkText)

function toScript(text: string): RedisScript {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}
