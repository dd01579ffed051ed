/**
 * Puts columns under each other, two spaces between them and none at the end of a line.
 *
 * @param rows the cells of each line
 * @param paint what becomes of a padded cell: a colour
 *
 * @example
 * alignColumns([['GET', '/'], ['DELETE', '/:id']]) // ['GET     /', 'DELETE  /:id']
 */
export function alignColumns(
  rows: ReadonlyArray<readonly string[]>,
  paint: (cell: string, column: number, row: number) => string = (cell) => cell,
): string[] {
  const widths: number[] = []
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length)
  }
  return rows.map((row, index) =>
    row
      .map((cell, column) => paint(column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0), column, index))
      .join('  '),
  )
}
