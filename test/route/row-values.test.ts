import { keysOf } from '../../src/route/row-values'

describe('keysOf(row, order)', () => {
  it('reads dotted names and getters, own properties before inherited ones, and no methods', () => {
    class Row {
      readonly deep = { n: 1 }
      get twice(): number {
        return this.deep.n * 2
      }
      method(): number {
        return 1
      }
    }
    const names = ['deep.n', 'twice', 'method', 'constructor', '__proto__', 'toString', 'deep.n.x', 'none']
    expect(
      keysOf(
        new Row(),
        names.map((name) => ({ name, descending: false })),
      ),
    ).toEqual([1, 2, ...Array<null>(6).fill(null)])
  })
})
