"""unread.py KIND COMMAND...: runs the command with a stderr that nobody reads, full from the beginning.

KIND: pipe, socket, pty. A line `read` on stdin begins the reading: what was written goes to stdout. A line `term` sends
SIGTERM. Ends with the command's exit code.
"""
import errno, fcntl, os, pty, select, signal, socket, subprocess, sys

kind, command = sys.argv[1], sys.argv[2:]
if kind == 'pipe':
    ours, theirs = os.pipe()
elif kind == 'pty':
    ours, theirs = pty.openpty()
else:
    a, b = socket.socketpair()
    ours, theirs = a.detach(), b.detach()
flags = fcntl.fcntl(theirs, fcntl.F_GETFL)
fcntl.fcntl(theirs, fcntl.F_SETFL, flags | os.O_NONBLOCK)
filled = 0
try:
    while True:
        filled += os.write(theirs, b'.' * 512)
except BlockingIOError:
    pass
fcntl.fcntl(theirs, fcntl.F_SETFL, flags)
child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs)
os.close(theirs)
os.write(1, b'filled %d\n' % filled)
reading = False
while True:
    ready, _, _ = select.select([0] + ([ours] if reading else []), [], [], 0.1)
    if 0 in ready:
        word = os.read(0, 100)
        reading = reading or b'read' in word
        if b'term' in word:
            child.send_signal(signal.SIGTERM)
        if word == b'':
            child.kill()
    if ours in ready:
        try:
            got = os.read(ours, 65536)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            got = b''
        if got == b'':
            reading = False
        os.write(1, got.replace(b'.' * 512, b''))
    if child.poll() is not None and not ready:
        sys.exit(child.returncode if child.returncode >= 0 else 128 - child.returncode)
