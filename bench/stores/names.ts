/** The drivers that are measured: those that are built on something which can be measured without them. */
export const storeNames: readonly string[] = ['sqlite', 'postgres', 'redis', 'nats', 'level', 'file']

/** Those of them that a million documents are put into: they answer queries by an index. */
export const millionNames: readonly string[] = ['sqlite', 'postgres']
