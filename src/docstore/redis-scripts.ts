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

local last, reserved, trims = 0, 0, true
local function reserve(count)
  last = math.max((tonumber(redis.call('GET', lastKey) or 0) or 0) + 1, micro) - 1
  reserved = count
  redis.call('SET', lastKey, string.format('%.0f', last + count))
end

local function record(op, key)
  if reserved == 0 then reserve(1) end
  last, reserved = last + 1, reserved - 1
  local number = string.format('%.0f', last)
  if trims then redis.call('XADD', logKey, 'MAXLEN', '~', logLength, number, 'o', op, 'k', key)
  else redis.call('XADD', logKey, number, 'o', op, 'k', key) end
  trims = false
  return number
end

local function release(key, doc)
  for n = 0, (tonumber(doc[4] or 0) or 0) - 1 do redis.call('PEXPIRE', chunks .. doc[3] .. ':' .. n, grace) end
  redis.call('UNLINK', docs .. key)
end

local function remove(key, op, doc)
  local number = record(op, key)
  release(key, doc)
  redis.call('ZREM', indexKey, key)
  redis.call('ZREM', expiryKey, key)
  return number
end

-- The revision, when it expires, the id and number of its chunks, then what else is asked for.
local function current(key, ...)
  local doc = redis.call('HMGET', docs .. key, 'rev', 'expires', 'id', 'chunks', ...)
  if doc[1] and not (doc[2] and tonumber(doc[2]) <= now) then return doc end
  if doc[1] or redis.call('ZSCORE', indexKey, key) then remove(key, 'expire', doc) end
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

/**
 * Arguments: whether it is all or nothing, the writes in JSON (each is op, key, condition, its revision, type, size, expires,
 * body id, chunks), and the body of each. The answer is the time, and for each write its revision, `1` or nothing for a
 * deletion, or a list that begins with what is wrong.
 */
const writeBody = `
reclaim(10)
local whole, writes = ARGV[4] == '1', cjson.decode(ARGV[5])
local function holds(condition, rev, doc)
  if condition == 'any' then return true end
  if condition == 'absent' then return not doc end
  return doc and (condition == 'present' or doc[1] == rev)
end

local function refusal(write, doc)
  local _, key, condition, rev, _, _, _, id, count = unpack(write)
  if not holds(condition, rev, doc) then
    if not doc then return { 'conflict' } end
    return { 'conflict', unpack(redis.call('HMGET', docs .. key, 'rev', 'type', 'size', 'modified', 'expires'), 1, 5) }
  end
  for n = 0, count - 1 do
    if redis.call('EXISTS', chunks .. id .. ':' .. n) == 0 then return { 'lost' } end
  end
end

local modified = string.format('%.0f', now)
local function put(write, old, body)
  local _, key, _, _, type, size, expires, id, count = unpack(write)
  local number, name = record('put', key), docs .. key
  -- What is replaced by the like of it is overwritten; of anything else nothing may be left.
  if old and (old[2] or old[4] or count > 0) then release(key, old) end
  if count == 0 then
    redis.call('HSET', name, 'rev', number, 'type', type, 'size', size, 'modified', modified, 'body', body)
  else
    redis.call('HSET', name, 'rev', number, 'type', type, 'size', size, 'modified', modified, 'id', id, 'chunks', count)
  end
  for n = 0, count - 1 do redis.call('PERSIST', chunks .. id .. ':' .. n) end
  if not old then redis.call('ZADD', indexKey, 0, key) end
  if old and old[2] and expires == '' then redis.call('ZREM', expiryKey, key) end
  if expires ~= '' then
    redis.call('HSET', name, 'expires', expires)
    redis.call('ZADD', expiryKey, expires, key)
    if ARGV[1] == '' then
      -- The memory is freed even if nobody comes by. A key is there at its very millisecond, a document is not.
      redis.call('PEXPIREAT', name, string.format('%.0f', tonumber(expires) - 1))
      for n = 0, count - 1 do
        redis.call('PEXPIREAT', chunks .. id .. ':' .. n, string.format('%.0f', tonumber(expires) + grace))
      end
    end
  end
  return number
end

local live, refused, done = {}, {}, 0
for n, write in ipairs(writes) do
  local doc = current(write[2])
  live[n] = doc
  if write[3] ~= 'any' or write[9] > 0 then refused[n] = refusal(write, doc) end
  if not refused[n] then done = done + 1
  elseif whole then
    local answers = { modified }
    for _ = 2, n do answers[#answers + 1] = '' end
    answers[n + 1] = refused[n]
    return answers
  end
end

if done > 0 then reserve(done) end
local answers = { modified }
for n, write in ipairs(writes) do
  if refused[n] then answers[n + 1] = refused[n]
  elseif write[1] == 'put' then answers[n + 1] = put(write, live[n], ARGV[n + 5])
  else answers[n + 1] = live[n] and remove(write[2], 'delete', live[n]) and '1' or '' end
end
return answers
`

/** Arguments: the keys. For each the fields of its document. */
const readBody = `
local answers = {}
for n = 4, #ARGV do
  answers[n - 3] = redis.call('HMGET', KEYS[5] .. ARGV[n], 'rev', 'type', 'size', 'modified', 'expires', 'id', 'chunks', 'body')
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
  local doc = current(keys[n], 'type', 'size', 'modified')
  if doc then answers[#answers + 1] = { keys[n], doc[1], doc[5], doc[6], doc[7], doc[2] } end
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

/** Writes all or nothing, or each for itself: the conditions of all are decided first. */
export const writeScript = toScript(prelude + writeBody)

/** The documents of some keys, expired ones too. */
export const readScript = toScript(readBody)

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
