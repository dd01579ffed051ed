import { IsString, Length } from 'class-validator'
import { Collection, Resource, ResourceExists, Throws, created } from 'kumu'

export class Employee {
  @IsString()
  @Length(1, 80)
  name!: string

  @IsString()
  @Length(1, 80)
  position!: string
}

@Resource('/employees', { model: Employee })
export class Employees extends Collection<Employee> {
  private readonly rows: Employee[] = []

  override select() {
    return this.rows
  }

  @Throws(ResourceExists)
  override create(body: Employee) {
    if (this.rows.some(({ name }) => name === body.name)) throw new ResourceExists('There is an employee of this name')
    this.rows.push(body)
    return created(body, `/employees?name=${encodeURIComponent(body.name)}`)
  }
}
