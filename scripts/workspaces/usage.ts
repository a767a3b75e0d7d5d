/** What a command was told; where that was to ask for help, or is something else than there is, it says how it is used, and ends. */
export const orUsage = <Told>(usage: string, read: () => Told | 'help'): Told => {
  try {
    const told = read();
    if (told !== 'help') return told;
    console.log(usage);
    process.exit(0);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${usage}`);
    process.exit(2);
  }
};
