/** `--tuning`: what every command that compiles for a device calls the flag. */
export const tuningFlag = {
  type: "string",
  valueHint: "FILE",
  description: "tiles that inarch tune has measured: its file, or cache for the user's own",
} as const;
