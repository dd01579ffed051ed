import { validator } from '../lazy'
import type { Rule } from '../validator'
import { withOrigins, type Origins } from './origins'

// Not `ArrayUnique`: it hides a function of the author's in its closure. The others have all they are given in
// `constraints`.
const decorators =
  `ArrayContains ArrayMaxSize ArrayMinSize ArrayNotContains ArrayNotEmpty Contains Equals IsAlpha IsAlphanumeric IsArray
  IsAscii IsBIC IsBase32 IsBase58 IsBase64 IsBoolean IsBooleanString IsBtcAddress IsByteLength IsCreditCard IsCurrency
  IsDataURI IsDate IsDateString IsDecimal IsDefined IsDivisibleBy IsEAN IsEmail IsEmpty IsEnum IsEthereumAddress IsFQDN
  IsFirebasePushId IsFullWidth IsHSL IsHalfWidth IsHash IsHexColor IsHexadecimal IsIBAN IsIP IsISBN IsISIN
  IsISO31661Alpha2 IsISO31661Alpha3 IsISO31661Numeric IsISO4217CurrencyCode IsISO6391 IsISO8601 IsISRC IsISSN
  IsIdentityCard IsIn IsInt IsJSON IsJWT IsLatLong IsLatitude IsLocale IsLongitude IsLowercase IsMACAddress IsMagnetURI
  IsMilitaryTime IsMimeType IsMobilePhone IsMongoId IsMultibyte IsNegative IsNotEmpty IsNotEmptyObject IsNotIn IsNumber
  IsNumberString IsObject IsOctal IsOptional IsPassportNumber IsPhoneNumber IsPort IsPositive IsPostalCode IsRFC3339
  IsRgbColor IsSemVer IsString IsStrongPassword IsSurrogatePair IsTaxId IsTimeZone IsUUID IsUppercase IsUrl
  IsVariableWidth Length Matches Max MaxDate MaxLength Min MinDate MinLength NotContains NotEquals`.split(/\s+/)

interface Proofs {
  /** The text of the stateless class that `registerDecorator` makes around a validator. */
  readonly classText: string
  /** Where the `validate` of that class is written. */
  readonly dispatch: string
  /** Names by where the validator's own function is written. */
  readonly names: ReadonlyMap<string, string>
}

let made: Proofs | undefined | null = null
let text: string | undefined
const known = new WeakMap<object, string | null>()

/**
 * The name of the rule of class-validator's own that a rule provably is: `isEmail`, `isLength`, `isOptional`.
 *
 * A name is no proof, for anybody may register a rule of that name, and neither is a text. The engine is asked whether
 * the function behind the rule is written at the very place where the library's own decorator has it. No code of the rule
 * is run for that. Rules that hold functions of the author's (`@MinDate(() => now())`, `@ArrayUnique(pick)`) are not
 * the library's own alone, and so have no name here; nor is anything said of `each`, `groups` or `validateIf`.
 *
 * @returns nothing where it is not the library's own, or where the engine gives no proof
 */
export function ownRule(rule: Rule): string | undefined {
  const subject = subjectOf(rule)
  if (!subject) return undefined
  let name = known.get(subject)
  if (name === undefined) {
    name = prove(rule) ?? null
    known.set(subject, name)
  }
  return name ?? undefined
}

/**
 * Whether a class of constraints is the one that `registerDecorator` makes around a validator: it has no state and asks
 * nothing of a container, so one instance will do for ever.
 */
export function isPlainConstraint(constraintClass: unknown): constraintClass is new () => object {
  text ??= textOf(register(['IsString'])[0]?.constraintCls)
  return typeof constraintClass === 'function' && textOf(constraintClass) === text
}

/** What a proof is about: the class of a constraint, or the function of a condition. */
function subjectOf(rule: Rule): object | undefined {
  const constraints: readonly unknown[] = rule.constraints ?? []
  if (rule.type === 'conditionalValidation' && !rule.constraintCls) {
    return typeof constraints[0] === 'function' ? constraints[0] : undefined
  }
  if (!rule.constraintCls || constraints.some((constraint) => typeof constraint === 'function')) return undefined
  return validator().constraintsOf(rule).length === 1 ? rule.constraintCls : undefined
}

function prove(rule: Rule): string | undefined {
  return withOrigins((origins) => {
    if (made === null) made = makeProofs(origins)
    if (!made) return undefined
    if (!rule.constraintCls) return made.names.get(origins.of(rule.constraints[0]) ?? '')
    const { validate } = rule.constraintCls.prototype as { readonly validate?: unknown }
    if (textOf(rule.constraintCls) !== made.classText || origins.of(validate) !== made.dispatch) return undefined
    return made.names.get(origins.ofClosed(validate, 'validator', 'validate') ?? '')
  })
}

/** Asks the same of rules that the library's own decorators have made just now. */
function makeProofs(origins: Origins): Proofs | undefined {
  const names = new Map<string, string>()
  let classText: string | undefined
  let dispatch: string | undefined
  for (const { constraintCls, constraints, name } of register(decorators)) {
    const { validate } = (constraintCls?.prototype ?? {}) as { readonly validate?: unknown }
    const origin = constraintCls ? origins.ofClosed(validate, 'validator', 'validate') : origins.of(constraints[0])
    if (origin !== undefined && name !== undefined) names.set(origin, name)
    if (!constraintCls) continue
    classText ??= textOf(constraintCls)
    dispatch ??= origins.of(validate)
  }
  return classText === undefined || dispatch === undefined ? undefined : { classText, dispatch, names }
}

/** Rules by the library's own decorators, one of each. */
function register(names: readonly string[]): Rule[] {
  const { decoratorNamed, ruleStorage, forgetRules } = validator()
  class Probe {}
  for (const name of names) {
    // Some look into what they are given at once: an enumeration without members satisfies them all.
    decoratorNamed(name)?.({})(Probe.prototype, name)
  }
  const rules = ruleStorage.getTargetValidationMetadatas(Probe, '', true, false)
  forgetRules(Probe)
  return rules
}

function textOf(subject: unknown): string {
  return typeof subject === 'function' ? Function.prototype.toString.call(subject) : ''
}
