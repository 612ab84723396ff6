(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs '(python-mode . ("fimserver" "serve"))))
