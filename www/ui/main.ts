import { mount } from 'svelte';
import { load } from '../texts/shell';
import App from './App.svelte';

const target = document.getElementById('app');
if (target) {
  load().then(
    () => mount(App, { target }),
    // Its own words did not arrive, so that only these can say it.
    () => (target.textContent = 'The page did not load. Please reload it. ページを読み込めませんでした。再読み込みしてください。'),
  );
}
