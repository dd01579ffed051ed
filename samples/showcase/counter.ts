import { setTimeout as sleep } from 'node:timers/promises'
import { Atomic, Post, Resource } from 'kumu'

@Resource('/counter')
export class Counter {
  private value = 0

  @Post()
  @Atomic()
  async increment() {
    const before = this.value
    await sleep(5)
    this.value = before + 1
    return { value: this.value }
  }
}
