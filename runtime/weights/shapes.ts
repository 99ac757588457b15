/** What an error says of a tensor that has one shape in a file and another in what reads it. */
export const otherShape = (
  name: string,
  inFile: { readonly shape: readonly number[] },
  read: { readonly shape: readonly number[] },
  by: string,
): string =>
  `${name} is [${inFile.shape.join(", ")}] in the file but [${read.shape.join(", ")}] in the ${by}`;
