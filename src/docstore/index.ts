export { bytes, type BodyInput, json, text } from './body'
export { isMediaType } from './check'
export { collection, type CollectionOptions } from './collection'
export type { CollectionPaging } from './collection-paging'
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
  DriverQuery,
  GetOptions,
  Listing,
  ListOptions,
  Meta,
  Op,
  PutOptions,
  Query,
  QueryPage,
  QuerySort,
  QueryValue,
  Rev,
  WatchOptions,
} from './driver'
export { StoreError, type StoreErrorCode } from './errors'
export { docstore, type Store } from './store'
