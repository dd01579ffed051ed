// Every text that matches is one that validator.js takes for an e-mail address with its default options, as long as the
// text is shorter than a local part may be. Others are left to the library.
const plainEmail =
  /^[A-Za-z\d!#$%&'*+\-/=?^_`{|}~]+(?:\.[A-Za-z\d!#$%&'*+\-/=?^_`{|}~]+)*@(?:[A-Za-z\d](?:[A-Za-z\d-]*[A-Za-z\d])?\.)+[A-Za-z]{2,}$/

const ascii = /^[\x20-\x7e]*$/
const longestPlain = 64

/** Whether a text is an address beyond doubt: `false` says nothing. */
export function isPlainEmail(text: string): boolean {
  return text.length <= longestPlain && plainEmail.test(text)
}

/** Whether a text is no address beyond doubt: `false` says nothing. The library throws at some texts that are not ASCII. */
export function isPlainNonsense(text: string): boolean {
  return !text.includes('@') && ascii.test(text)
}

/** The length of a text as validator.js counts it: a surrogate pair is one, a variation selector none. */
export function lengthOf(text: string): number {
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) >= 0xd800) return countCharacters(text)
  }
  return text.length
}

function countCharacters(text: string): number {
  const presentations = text.match(/[^\uFE0F\uFE0E][\uFE0F\uFE0E]/g) ?? []
  const pairs = text.match(/[\uD800-\uDBFF][\uDC00-\uDFFF]/g) ?? []
  return text.length - presentations.length - pairs.length
}

/** Whether a text is of a length; most are judged without counting: no character is longer than three units. */
export function isOfLength(text: string, min: number, max: number): boolean {
  const units = text.length
  if (units <= max && units >= 3 * min) return true
  if (units < min) return false
  const length = lengthOf(text)
  return length >= min && length <= max
}
