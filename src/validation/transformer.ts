import { types } from 'node:util'
import { plainToInstance, type ClassTransformOptions, type TransformFnParams } from 'class-transformer'
import type { MetadataStorage } from 'class-transformer/types/MetadataStorage'
import type { Constructor } from '../types'

// The storage is not exported by the package's door; it is a singleton of its module.
const { defaultMetadataStorage } = require('class-transformer/cjs/storage') as {
  defaultMetadataStorage: MetadataStorage
}

export type { ClassTransformOptions, MetadataStorage, TransformFnParams }

/** What `@Type` says of a property. */
export type TypeFact = NonNullable<ReturnType<MetadataStorage['findTypeMetadata']>>

/** Where this copy of class-transformer was loaded from. */
export const transformerPath = require.resolve('class-transformer')

/** The storage that this copy of class-transformer writes to. */
export const shapeStorage = defaultMetadataStorage

/** The directions of class-transformer; its enumeration would be a second import of the package at run time. */
export const TO_CLASS = 0
export const TO_PLAIN = 1

/**
 * Builds an instance out of plain data.
 *
 * @throws whatever a constructor, setter or `@Transform` of the class throws
 */
export function build(target: Constructor, plain: unknown, options: ClassTransformOptions): object {
  return plainToInstance(target, plain, options) as object
}

/**
 * Whether class-transformer itself threw, and not a function of the application that it called.
 *
 * The stack says so: the first frame that is not the engine's own belongs to whoever threw. Source maps may have given
 * the library's file its other extension.
 */
export function threwByItself(error: unknown): boolean {
  if (!types.isNativeError(error) || typeof error.stack !== 'string') return false
  const frames = error.stack.split('\n').filter((line) => /^\s+at /.test(line))
  const thrower = frames.find((line) => !/\((?:node:|<anonymous>|native)|at node:/.test(line))
  return thrower !== undefined && /TransformOperationExecutor\.[jt]s\b/.test(thrower)
}
