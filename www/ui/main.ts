import { mount } from 'svelte';
import { load as drawTexts } from '../texts/draw';
import { load } from '../texts/shell';
import App from './App.svelte';

const target = document.getElementById('app');
if (target) {
  // The first lab's texts come along, rather than once the frame stands.
  Promise.all([load(), drawTexts()]).then(
    () => mount(App, { target }),
    // Its own words did not arrive, so that only these can say it.
    () => (target.textContent = 'The page did not load. Please reload it. ページを読み込めませんでした。再読み込みしてください。'),
  );
}
