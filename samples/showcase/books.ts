import { ArrayMaxSize, ArrayMinSize, IsISBN, IsInt, IsOptional, IsString, Length, Max, Min } from 'class-validator'

export class Book {
  @IsISBN()
  isbn!: string

  @IsString()
  @Length(1, 200)
  title!: string

  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(9999)
  year?: number

  @IsString({ each: true })
  @ArrayMinSize(1)
  @ArrayMaxSize(20)
  authors!: string[]
}
