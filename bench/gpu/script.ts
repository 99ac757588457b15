/** The texts of a pack: the script that starts it, and what a reader finds beside it. */

/**
 * A script for `sh` that uses its built-in commands alone. Libraries of the pack come in only where the
 * machine lacks them: its own are those that its driver was tried with.
 */
export const runScript = (glibc: string): string => `#!/bin/sh
# Measures inarch on this machine's GPU. It needs no network, nothing from PATH, and glibc ${glibc} or newer.
# Options: --out FOLDER, --only NAME (again and again), --minutes N, --list.
case $0 in
  */*) here=\${0%/*} ;;
  *) here=. ;;
esac
here=$(CDPATH= cd -- "$here" && pwd) || exit 3
own=\${LD_LIBRARY_PATH-}
dawn=$here/node_modules/webgpu/dist/linux-x64/dawn.node
for folders in "$here/lib/base" "$here/lib/base:$here/lib/compiler"; do
  export LD_LIBRARY_PATH="$folders\${own:+:$own}"
  if said=$("$here/bin/node" -e 'require(process.argv[1])' "$dawn" 2>&1); then
    exec "$here/bin/node" "$here/dist/bench/gpu.js" "$@"
  fi
done
echo "$said" >&2
echo "Node or Dawn does not start here: they need x86-64, glibc ${glibc} or newer, and GCC 12's libstdc++." >&2
exit 3
`;

export const readmeText = (glibc: string): string => `inarch on this machine's GPU

    ./run [--out FOLDER] [--only NAME]... [--minutes N] [--list]

It checks every op and model of inarch on the GPU, finds the fastest tiles, and times products,
attention, SAM's encoders and training steps, beside PyTorch where a python3 has it. It takes ten
minutes at most, and writes results.jsonl as it goes and results.md at the end to FOLDER, by default
out/gpu here. It needs x86-64 Linux with glibc ${glibc} or newer, and the GPU's Vulkan driver; no network.

It ends with 0 where all is right, with 1 where something is wrong, and with 3 where there is no device
or the driver lacks a file, which it names.
`;
