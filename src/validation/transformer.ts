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

/** The version of this copy of class-transformer. */
export const transformerVersion = (require('class-transformer/package.json') as { readonly version: string }).version

/** Where this copy of class-transformer was loaded from. */
export const transformerPath = require.resolve('class-transformer')

/** The storage that this copy of class-transformer writes to. */
export const shapeStorage = defaultMetadataStorage

/** The directions of class-transformer; its enumeration would be a second import of the package at run time. */
export const TO_CLASS = 0
export const TO_PLAIN = 1

type TransformOperationExecutor =
  import('class-transformer/types/TransformOperationExecutor').TransformOperationExecutor

const { TransformOperationExecutor: Executor } = require('class-transformer/cjs/TransformOperationExecutor') as {
  TransformOperationExecutor: new (direction: number, options: ClassTransformOptions) => TransformOperationExecutor
}

const { defaultOptions } = require('class-transformer/cjs/constants/default-options.constant') as {
  defaultOptions: ClassTransformOptions
}

/** The options with which class-transformer builds where these are given. */
export function completeOptions(options: ClassTransformOptions): ClassTransformOptions {
  return { ...defaultOptions, ...options }
}

/**
 * Builds a part of an instance: what {@link build} does for the value of one property.
 *
 * @param type what the property's `@Type` says
 * @param arrayType what the compiler says of it, where the value is a list
 * @param isMap whether its entries are of that type, and not itself
 * @param options complete ones
 */
export function buildPart(
  value: unknown,
  type: unknown,
  arrayType: unknown,
  isMap: boolean | undefined,
  options: ClassTransformOptions,
): unknown {
  const executor = new Executor(TO_CLASS, options)
  return executor.transform(undefined, value, type as never, arrayType as never, isMap as never, 1) as unknown
}

/**
 * Builds an instance out of plain data.
 *
 * @throws whatever a constructor, setter or `@Transform` of the class throws
 */
export function build(target: Constructor, plain: unknown, options: ClassTransformOptions): object {
  return plainToInstance(target, plain, options) as object
}

const itsFiles = /TransformOperationExecutor\.[jt]s\b|[\\/]validation[\\/]exact[\\/]build\.[jt]s\b/

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
  // Bundled, the plans that do as the library does are in the file that this is in.
  return thrower !== undefined && (itsFiles.test(thrower) || thrower.includes(__filename))
}
