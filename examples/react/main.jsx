// React 19: a custom element is an element like any other, its events are props.

import 'hitofude/elements';
import { useState } from 'react';
import { createRoot } from 'react-dom/client';

function App() {
  const [digit, setDigit] = useState('');
  return (
    <main>
      <hitofude-pad onchange={({ target }) => setDigit(target.value)} />
      <p id="out">{digit ? `You drew ${digit}` : 'Draw a digit'}</p>
    </main>
  );
}

createRoot(document.querySelector('#root')).render(<App />);
