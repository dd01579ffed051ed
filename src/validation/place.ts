import { below, clip } from './pointer'

/** Where a value stands: a chain upwards, put into words only where something is wrong there. */
export class Place {
  readonly depth: number

  private constructor(
    private readonly parent: Place | undefined,
    private readonly token: string | number,
    private readonly kind: 'whole' | 'member' | 'element' | 'entry',
  ) {
    this.depth = parent ? parent.depth + 1 : 0
  }

  /** The whole value, called by this name in sentences. */
  static whole(name: string): Place {
    return new Place(undefined, name, 'whole')
  }

  /** A member of an object of a class, by its name in the request. */
  member(name: string): Place {
    return new Place(this, name, 'member')
  }

  /** An element of a list. */
  element(index: number): Place {
    return new Place(this, index, 'element')
  }

  /** An entry of a map, or a member of an object that no class describes: its name is of the client's making. */
  entry(key: string): Place {
    return new Place(this, key, 'entry')
  }

  get pointer(): string {
    return this.parent ? below(this.parent.pointer, this.token) : ''
  }

  get label(): string {
    if (!this.parent || this.kind === 'member') return String(this.token)
    const whole = this.parent.parent ? this.parent.label : ''
    if (this.kind === 'element') return whole ? `${whole}[${this.token}]` : `element ${this.token}`
    return whole ? `${whole}.${clip(String(this.token))}` : clip(String(this.token))
  }
}
