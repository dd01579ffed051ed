import type { Contest } from './contest'

/** What makes the contest of each driver. A client library that is not installed is missed only where it is asked for. */
export const contests: Readonly<Record<string, () => Contest | Promise<Contest>>> = {
  sqlite: () => (require('./sqlite') as typeof import('./sqlite')).createSqliteContest(),
  postgres: () => (require('./postgres') as typeof import('./postgres')).createPostgresContest(),
  redis: () => (require('./redis') as typeof import('./redis')).createRedisContest(),
  nats: () => (require('./nats') as typeof import('./nats')).createNatsContest(),
  level: () => (require('./level') as typeof import('./level')).createLevelContest(),
  file: () => (require('./file') as typeof import('./file')).createFileContest(),
}
