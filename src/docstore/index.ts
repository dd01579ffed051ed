export { bytes, type BodyInput, json, text } from './body'
export { isMediaType } from './check'
export { conditionOf, documents, type DocumentsOptions } from './documents'
export type {
  Can,
  Change,
  Cond,
  DeleteOptions,
  Doc,
  Driver,
  DriverListOptions,
  DriverOp,
  DriverPutOptions,
  GetOptions,
  Listing,
  ListOptions,
  Meta,
  Op,
  PutOptions,
  Rev,
  WatchOptions,
} from './driver'
export { StoreError, type StoreErrorCode } from './errors'
export { docstore, type Store } from './store'
