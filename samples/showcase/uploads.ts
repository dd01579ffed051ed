import { createHash } from 'node:crypto'
import { Body, File, Limit, Post, Resource, Status, UploadedFile } from 'kumu'

@Resource('/uploads')
export class Uploads {
  @Post()
  @Status(201)
  @Limit({ fileSize: 1024 * 1024, files: 1 })
  async upload(@File('file') file: UploadedFile, @Body('title') title: string) {
    const sha256 = createHash('sha256')
    for await (const chunk of file.stream()) sha256.update(chunk as Buffer)
    return { title, filename: file.filename, type: file.type, size: file.size, sha256: sha256.digest('hex') }
  }
}
